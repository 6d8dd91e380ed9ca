// SPDX-License-Identifier: Apache-2.0
// A small ITS of plain Maps, written apart from the model: it decodes doublewords by shifts and knows no table layout, only
// how many bytes an interrupt translation entry has and where memory ends.

export interface ReferenceLimits {
  readonly deviceIds: number;
  readonly eventIds: number;
  readonly collections: number;
  readonly redistributors: number;
  readonly idBits: number;
  readonly iteBytes: number;
  readonly ramBase: number;
  readonly ramBytes: number;
}

interface Found {
  readonly address: number;
  readonly lpi: number;
  readonly icid: number;
  readonly target: number;
}

/** Bits [hi:lo] of a doubleword. */
function bits(doubleword: bigint, hi: number, lo: number): number {
  return Number((doubleword >> BigInt(lo)) & ((1n << BigInt(hi - lo + 1)) - 1n));
}

export class ReferenceIts {
  readonly #limits: ReferenceLimits;
  /** EventID bits and ITT address by DeviceID. */
  readonly #devices = new Map<number, { readonly bits: number; readonly itt: number }>();
  /** By the address of the entry: two devices may have been given the same memory. */
  readonly #events = new Map<number, { readonly lpi: number; readonly icid: number }>();
  readonly #collections = new Map<number, number>();

  constructor(limits: ReferenceLimits) {
    this.#limits = limits;
  }

  /** What redistributors are told because of a device's write. */
  msi(deviceId: number, eventId: number): string[] {
    const found = this.#find(deviceId, eventId);
    return found ? [`set ${found.target} ${found.lpi}`] : [];
  }

  /** What redistributors are told because of a command of four doublewords. */
  run([dw0, dw1, dw2, dw3]: readonly bigint[]): string[] {
    const deviceId = bits(dw0, 63, 32);
    const eventId = bits(dw1, 31, 0);
    const icid = bits(dw2, 15, 0);
    switch (bits(dw0, 7, 0)) {
      case 0x01:
        return this.#movi(this.#find(deviceId, eventId), icid);
      case 0x03:
        return this.msi(deviceId, eventId);
      case 0x04:
        return this.#tell('clear', this.#find(deviceId, eventId));
      case 0x08:
        return this.#mapd(deviceId, bits(dw1, 4, 0) + 1, bits(dw2, 51, 8) * 256, bits(dw2, 63, 63));
      case 0x09:
        return this.#mapc(icid, bits(dw2, 51, 16), bits(dw2, 63, 63));
      case 0x0a:
        return this.#mapti(deviceId, eventId, bits(dw1, 63, 32), icid);
      case 0x0b:
        return this.#mapti(deviceId, eventId, eventId, icid);
      case 0x0c:
        return this.#tell('inv', this.#find(deviceId, eventId));
      case 0x0d: {
        const target = this.#collections.get(icid);
        return target === undefined ? [] : [`invall ${target}`];
      }
      case 0x0e: {
        const from = bits(dw2, 51, 16);
        const to = bits(dw3, 51, 16);
        const known = from < this.#limits.redistributors && to < this.#limits.redistributors;
        return known && from !== to ? [`moveall ${from} ${to}`] : [];
      }
      case 0x0f: {
        const found = this.#find(deviceId, eventId);
        if (found) this.#events.delete(found.address);
        return this.#tell('clear', found);
      }
      default:
        return [];
    }
  }

  #tell(what: string, found: Found | undefined): string[] {
    return found ? [`${what} ${found.target} ${found.lpi}`] : [];
  }

  #entryOf(deviceId: number, eventId: number): number | undefined {
    const device = this.#devices.get(deviceId);
    if (device === undefined || eventId >= 2 ** device.bits) return undefined;
    const { ramBase, ramBytes, iteBytes } = this.#limits;
    const address = device.itt + eventId * iteBytes;
    return address >= ramBase && address + iteBytes <= ramBase + ramBytes ? address : undefined;
  }

  #find(deviceId: number, eventId: number): Found | undefined {
    const address = this.#entryOf(deviceId, eventId);
    const event = address === undefined ? undefined : this.#events.get(address);
    const target = event && this.#collections.get(event.icid);
    return event && address !== undefined && target !== undefined ? { address, ...event, target } : undefined;
  }

  #mapd(deviceId: number, eventBits: number, itt: number, valid: number): string[] {
    if (deviceId >= this.#limits.deviceIds) return [];
    if (valid === 0) this.#devices.delete(deviceId);
    else if (2 ** eventBits <= this.#limits.eventIds) this.#devices.set(deviceId, { bits: eventBits, itt });
    return [];
  }

  #mapc(icid: number, rdbase: number, valid: number): string[] {
    if (icid >= this.#limits.collections) return [];
    if (valid === 0) this.#collections.delete(icid);
    else if (rdbase < this.#limits.redistributors) this.#collections.set(icid, rdbase);
    return [];
  }

  #mapti(deviceId: number, eventId: number, lpi: number, icid: number): string[] {
    const address = this.#entryOf(deviceId, eventId);
    const fits = lpi >= 8192 && lpi < 2 ** this.#limits.idBits && icid < this.#limits.collections;
    if (address !== undefined && fits) this.#events.set(address, { lpi, icid });
    return [];
  }

  #movi(found: Found | undefined, icid: number): string[] {
    const target = this.#collections.get(icid);
    if (found === undefined || target === undefined) return [];
    this.#events.set(found.address, { lpi: found.lpi, icid });
    return target === found.target ? [] : [`move ${found.target} ${target} ${found.lpi}`];
  }
}
