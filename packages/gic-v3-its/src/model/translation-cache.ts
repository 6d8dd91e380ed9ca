// SPDX-License-Identifier: Apache-2.0
// What the tables said of events that were translated before, in flat arrays: the hot path of an MSI. Tables in memory stay
// the truth: the cache may be dropped at any moment.

import type { LpiSink } from '@irqkit/core';

export interface TranslationCache {
  /** Makes the event's LPI pending at its redistributor, or asks `miss`, where the cache does not know it. */
  readonly signal: (deviceId: number, eventId: number) => void;
  /** Takes what the tables say of an event; `nrEvents`, a power of two, is how many its device has. */
  add(deviceId: number, nrEvents: number, eventId: number, lpi: number, target: number): void;
  /** Costs no more than the devices that were added since the last time. */
  dropAll(): void;
}

/** DeviceIDs and EventIDs from here on are looked up in memory each time. */
const MAX_DEVICES = 0x10_0000;
const MAX_BLOCK = 0x1_0000;
const FIRST_DEVICES = 0x100;
/** Events, twice what 20 bits of LPIs need; when they are used up all is dropped. */
const MAX_EVENTS = 0x20_0000;
const FIRST_EVENTS = 0x400;
/** A device's events stand in a block: of all that it has, or one that grows by doubling from this. */
const MIN_BLOCK = 32;

/** A closure over its arrays, which V8 runs faster than a class with fields. */
export function translationCache(lpis: LpiSink, miss: (deviceId: number, eventId: number) => void): TranslationCache {
  /** By DeviceID, two words: the first of its events, and how many there are. */
  let devices = new Int32Array(FIRST_DEVICES * 2);
  let nrDevices = FIRST_DEVICES;
  /** Two words each: LPI, 0 for one that is not known, and redistributor. */
  let events = new Int32Array(FIRST_EVENTS * 2);
  let nrEventsUsed = 0;
  /** The DeviceIDs that have events. */
  let known = new Int32Array(FIRST_DEVICES);
  let nrKnown = 0;

  const signal = (deviceId: number, eventId: number): void => {
    if (deviceId >>> 0 >= nrDevices) return miss(deviceId, eventId);
    const device = deviceId << 1;
    if (eventId >>> 0 >= devices[device + 1]) return miss(deviceId, eventId);
    const event = (devices[device] + eventId) << 1;
    const lpi = events[event];
    if (lpi === 0) return miss(deviceId, eventId);
    lpis.setPending(events[event + 1], lpi);
  };

  const dropAll = (): void => {
    for (let i = 0; i < nrKnown; i++) devices[known[i] * 2 + 1] = 0;
    nrKnown = 0;
    nrEventsUsed = 0;
  };

  /** The first of `count` events that are not known. */
  const reserve = (count: number): number => {
    if (nrEventsUsed + count > MAX_EVENTS) dropAll();
    const first = nrEventsUsed;
    nrEventsUsed += count;
    events = grown(events, nrEventsUsed * 2);
    events.fill(0, first * 2, nrEventsUsed * 2);
    return first;
  };

  /** Gives a device a block that holds `eventId`, with what its former one held. */
  const widen = (deviceId: number, nrEvents: number, eventId: number): void => {
    let count = MIN_BLOCK;
    while (count <= eventId) count *= 2;
    count = Math.min(count, nrEvents);
    const first = reserve(count);
    const former = devices[deviceId * 2] * 2;
    const nrFormer = devices[deviceId * 2 + 1];
    if (nrFormer === 0) {
      known = grown(known, nrKnown + 1);
      known[nrKnown++] = deviceId;
    } else events.copyWithin(first * 2, former, former + Math.min(nrFormer, count) * 2);
    devices[deviceId * 2] = first;
    devices[deviceId * 2 + 1] = count;
  };

  const add = (deviceId: number, nrEvents: number, eventId: number, lpi: number, target: number): void => {
    if (deviceId >= MAX_DEVICES || eventId >= MAX_BLOCK) return;
    devices = grown(devices, deviceId * 2 + 2);
    nrDevices = devices.length / 2;
    if (eventId >= devices[deviceId * 2 + 1]) widen(deviceId, nrEvents, eventId);
    const event = (devices[deviceId * 2] + eventId) * 2;
    events[event] = lpi;
    events[event + 1] = target;
  };

  return { signal, add, dropAll };
}

/** `array`, or one of at least `length` and twice as long that begins with it. */
function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const longer = new Int32Array(Math.max(length, array.length * 2));
  longer.set(array);
  return longer;
}
