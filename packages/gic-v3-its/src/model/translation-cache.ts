// SPDX-License-Identifier: Apache-2.0
// What the tables said of events that were translated before, in flat arrays: the hot path of an MSI. Tables in memory stay
// the truth: the cache may be dropped at any moment. A class, as arrays that grow are less to check in fields than in a closure.

import type { Doorbell, LpiPendingBits, LpiSink } from '@irqkit/core';

/** Asks the tables. */
export type Miss = (deviceId: number, eventId: number) => void;

/** DeviceIDs and EventIDs from here on are looked up in memory each time. */
const MAX_DEVICES = 0x10_0000;
const MAX_BLOCK = 0x1_0000;
const FIRST_DEVICES = 0x100;
/** Events, twice what 20 bits of LPIs need; when they are used up all is dropped. */
const MAX_EVENTS = 0x20_0000;
const FIRST_EVENTS = 0x400;
/** A device's events stand in a block: of all that it has, or one that grows by doubling from this. */
const MIN_BLOCK = 32;

/** Where the sink has no bits to test: places of the same form. */
const NO_BITS: LpiPendingBits = { words: new Uint32Array(0), shift: 19 };

export class TranslationCache implements Doorbell {
  readonly #lpis: LpiSink;
  readonly #miss: Miss;
  /** By DeviceID: log2 of how many events its block has in bits [4:0], and where the block begins in those above. */
  #devices = new Int32Array(FIRST_DEVICES);
  #nrDevices = FIRST_DEVICES;
  /** For each event the place of its LPI among the pending bits of all redistributors; 0 for one that is not known. */
  #places = new Int32Array(FIRST_EVENTS);
  /** Devices that are not known have a block of one event here, that is not known. */
  #nrPlacesUsed = 1;
  /** The DeviceIDs that have events. */
  #known = new Int32Array(FIRST_DEVICES);
  #nrKnown = 0;
  /** What the places are places of, and the bits of a place that are the LPI; the target is above. */
  #words = NO_BITS.words;
  #nrWords = 0;
  #shift = NO_BITS.shift;

  constructor(lpis: LpiSink, miss: Miss) {
    this.#lpis = lpis;
    this.#miss = miss;
    this.#follow();
  }

  /** Hot. Makes the event's LPI pending at its redistributor, or asks `miss`, where the cache does not know it. */
  signal(deviceId: number, eventId: number): void {
    const place = this.#placeOf(deviceId, eventId);
    if (this.#isSet(place)) return;
    if (place === 0) return this.#miss(deviceId, eventId);
    this.#lpis.setPending(place >>> (this.#shift + 5), place & ((32 << this.#shift) - 1));
  }

  /** Hot. */
  isPending(deviceId: number, eventId: number): boolean {
    return this.#isSet(this.#placeOf(deviceId, eventId));
  }

  /** Takes what the tables say of an event; `nrEvents`, a power of two, is how many its device has. */
  add(deviceId: number, nrEvents: number, eventId: number, lpi: number, target: number): void {
    this.#follow();
    const shift = this.#shift;
    const fits = lpi < 32 * 2 ** shift && target < 2 ** (27 - shift);
    if (!fits || deviceId >= MAX_DEVICES || eventId >= MAX_BLOCK) return;
    this.#devices = grown(this.#devices, deviceId + 1);
    this.#nrDevices = this.#devices.length;
    const device = this.#devices[deviceId];
    if (device === 0 || eventId >>> device !== 0) this.#widen(deviceId, nrEvents, eventId);
    this.#places[(this.#devices[deviceId] >>> 5) + eventId] = (target << (shift + 5)) | lpi;
  }

  /** Costs no more than the devices that were added since the last time. */
  dropAll(): void {
    for (let i = 0; i < this.#nrKnown; i++) this.#devices[this.#known[i]] = 0;
    this.#nrKnown = 0;
    this.#nrPlacesUsed = 1;
  }

  #placeOf(deviceId: number, eventId: number): number {
    if (deviceId >>> 0 >= this.#nrDevices) return 0;
    const device = this.#devices[deviceId];
    return eventId >>> device === 0 ? this.#places[(device >>> 5) + eventId] : 0;
  }

  #isSet(place: number): boolean {
    const word = place >>> 5;
    return word < this.#nrWords && ((this.#words[word] >>> place) & 1) !== 0;
  }

  /** The redistributors may have other bits by now. */
  #follow(): void {
    const { words, shift } = this.#lpis.pendingBits ?? NO_BITS;
    if (words === this.#words) return;
    this.dropAll();
    this.#words = words;
    this.#nrWords = words.length;
    this.#shift = shift;
  }

  /** Gives a device a block that holds `eventId`, with what its former one held. */
  #widen(deviceId: number, nrEvents: number, eventId: number): void {
    let log2 = Math.log2(Math.min(MIN_BLOCK, nrEvents));
    while (eventId >>> log2 !== 0) log2++;
    const first = this.#reserve(2 ** log2);
    const former = this.#devices[deviceId];
    if (former === 0) {
      this.#known = grown(this.#known, this.#nrKnown + 1);
      this.#known[this.#nrKnown++] = deviceId;
    } else this.#places.copyWithin(first, former >>> 5, (former >>> 5) + (1 << former));
    this.#devices[deviceId] = (first << 5) | log2;
  }

  /** The first of `count` places that are not known. */
  #reserve(count: number): number {
    if (this.#nrPlacesUsed + count > MAX_EVENTS) this.dropAll();
    const first = this.#nrPlacesUsed;
    this.#nrPlacesUsed += count;
    this.#places = grown(this.#places, this.#nrPlacesUsed);
    this.#places.fill(0, first, this.#nrPlacesUsed);
    return first;
  }
}

/** `array`, or one of at least `length` and twice as long that begins with it. */
function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const longer = new Int32Array(Math.max(length, array.length * 2));
  longer.set(array);
  return longer;
}
