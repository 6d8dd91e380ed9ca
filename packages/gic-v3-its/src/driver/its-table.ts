// SPDX-License-Identifier: Apache-2.0
// The tables behind GITS_BASER<n>, probed as the architecture asks: what does not read back as written, the ITS does not
// have. IHI 0069, section 5.2 and "GITS_BASER<n>".

import { alignUp, hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { DmaBuffer } from '@irqkit/core';
import {
  GITS_BASER,
  GITS_BASER_TYPE,
  GITS_CACHE,
  GITS_PAGE_BYTES,
  GITS_PAGE_SIZE,
  GITS_SHAREABILITY,
  LEVEL1_ENTRY,
  putTableAddress,
} from '../regs.js';
import type { ItsUnit } from './its-unit.js';
import { readPair, writePair } from './register-pair.js';

/** GITS_BASER<n>.Size has 8 bits. */
const MAX_PAGES = 256;

/** How a table is read by the ITS, as far as the ITS lets software choose. */
interface Attributes {
  readonly shareability: number;
  readonly innerCache: number;
}

const SHARED: Attributes = {
  shareability: GITS_SHAREABILITY.INNER,
  innerCache: GITS_CACHE.READ_WRITE_ALLOCATE_WRITE_BACK,
};

export interface ItsTable {
  readonly buffer: DmaBuffer;
  readonly entryBytes: number;
  readonly pageBytes: number;
  /** Two levels: `buffer` holds the addresses of pages of entries. */
  readonly indirect: boolean;
}

/** A table that the ITS keeps within itself is undefined. */
export interface ItsTables {
  readonly devices: ItsTable | undefined;
  readonly collections: ItsTable | undefined;
}

/**
 * Gives a disabled ITS its tables: for every DeviceID it has, and for `nrCollections`.
 * @throws LinuxError ENXIO for a register that does not keep what is written, ENOMEM @linux its_alloc_tables
 */
export function setUpTables(unit: ItsUnit, nrCollections: number): ItsTables {
  const tables: { devices?: ItsTable; collections?: ItsTable } = {};
  let attributes = SHARED;
  for (let n = 0; n < GITS_BASER.count; n++) {
    const register = new BaserRegister(unit, n);
    // UNIMP: virtual LPIs
    switch (register.type) {
      case GITS_BASER_TYPE.DEVICES: {
        const table = setUpDevices(unit, register, attributes);
        ({ attributes } = table);
        tables.devices = table;
        break;
      }
      case GITS_BASER_TYPE.COLLECTIONS: {
        const table = setUpCollections(unit, register, attributes, nrCollections);
        ({ attributes } = table);
        tables.collections = table;
        break;
      }
    }
  }
  return { devices: tables.devices, collections: tables.collections };
}

type SetUp = ItsTable & { readonly attributes: Attributes };

function setUpDevices(unit: ItsUnit, register: BaserRegister, attributes: Attributes): SetUp {
  const pageSize = register.probePageSize();
  const pageBytes = GITS_PAGE_BYTES[pageSize];
  const nrIds = 2 ** unit.features.deviceIdBits;
  const { entryBytes } = register;
  const indirect = nrIds * entryBytes > 2 * pageBytes && register.probeIndirect();
  const bytes = indirect
    ? Math.ceil(nrIds / Math.floor(pageBytes / entryBytes)) * LEVEL1_ENTRY.bytes
    : nrIds * entryBytes;
  if (bytes > MAX_PAGES * pageBytes)
    unit.log.warn(`${unit.path}: the device table cannot hold all ${unit.features.deviceIdBits} bits of DeviceIDs`);
  return register.setUp({ what: 'the device table', bytes, pageSize, indirect, attributes });
}

function setUpCollections(unit: ItsUnit, register: BaserRegister, attributes: Attributes, nr: number): SetUp {
  const pageSize = register.probePageSize();
  const bytes = nr * register.entryBytes;
  return register.setUp({ what: 'the collection table', bytes, pageSize, indirect: false, attributes });
}

interface Wanted {
  readonly what: string;
  readonly bytes: number;
  /** GITS_BASER<n>.Page_Size */
  readonly pageSize: number;
  readonly indirect: boolean;
  readonly attributes: Attributes;
}

class BaserRegister {
  readonly type: number;
  readonly entryBytes: number;
  readonly #unit: ItsUnit;
  readonly #n: number;

  constructor(unit: ItsUnit, n: number) {
    this.#unit = unit;
    this.#n = n;
    const value = this.#read();
    this.type = GITS_BASER.Type(value);
    this.entryBytes = GITS_BASER.Entry_Size(value) + 1;
  }

  /** The largest page that sticks. @throws LinuxError ENXIO @linux its_probe_baser_psz */
  probePageSize(): number {
    for (const pageSize of [GITS_PAGE_SIZE.KIB64, GITS_PAGE_SIZE.KIB16, GITS_PAGE_SIZE.KIB4]) {
      const value = this.#read();
      GITS_BASER.Page_Size.put(value, pageSize);
      if (GITS_BASER.Page_Size(this.#write(value)) === pageSize) return pageSize;
    }
    throw new LinuxError('ENXIO', `${this.#unit.path}: GITS_BASER${this.#n} takes no page size`);
  }

  /** True where Indirect sticks. @linux its_parse_indirect_baser */
  probeIndirect(): boolean {
    const value = new Uint32Array(2);
    GITS_BASER.Shareability.put(value, SHARED.shareability);
    GITS_BASER.InnerCache.put(value, SHARED.innerCache);
    GITS_BASER.Indirect.put(value, 1);
    return GITS_BASER.Indirect(this.#write(value)) === 1;
  }

  /** @throws LinuxError ENOMEM, ENXIO @linux its_setup_baser */
  setUp({ what, bytes, pageSize, indirect, attributes }: Wanted): SetUp {
    const { memory, path } = this.#unit;
    const pageBytes = GITS_PAGE_BYTES[pageSize];
    const pages = Math.min(alignUp(bytes, pageBytes) / pageBytes, MAX_PAGES);
    const buffer = memory.alloc(pages * pageBytes, pageBytes, what);
    if (buffer.base >= 2 ** 48 && pageSize !== GITS_PAGE_SIZE.KIB64)
      throw new LinuxError('ENXIO', `${path}: ${what} is at ${hex(buffer.base)}, beyond 48 bits`);
    const value = new Uint32Array(2);
    GITS_BASER.Size.put(value, pages - 1);
    GITS_BASER.Page_Size.put(value, pageSize);
    putTableAddress(value, buffer.base);
    GITS_BASER.Entry_Size.put(value, this.entryBytes - 1);
    GITS_BASER.Type.put(value, this.type);
    GITS_BASER.Indirect.put(value, indirect ? 1 : 0);
    GITS_BASER.Valid.put(value, 1);
    const taken = this.#negotiate(value, attributes) ?? this.#doesNotStick(value);
    return { buffer, entryBytes: this.entryBytes, pageBytes, indirect, attributes: taken };
  }

  // An ITS that does not share reads back what it can do; then its accesses are not cacheable either.
  #negotiate(value: Uint32Array, wanted: Attributes): Attributes | undefined {
    let attributes = wanted;
    for (;;) {
      GITS_BASER.Shareability.put(value, attributes.shareability);
      GITS_BASER.InnerCache.put(value, attributes.innerCache);
      const back = this.#write(value);
      if (back[0] === value[0] && back[1] === value[1]) return attributes;
      const shareability = GITS_BASER.Shareability(back);
      if (shareability === attributes.shareability || attributes !== wanted) return undefined;
      attributes = {
        shareability,
        innerCache: shareability === GITS_SHAREABILITY.NON ? GITS_CACHE.NON_CACHEABLE : wanted.innerCache,
      };
    }
  }

  #doesNotStick([lo, hi]: Uint32Array): never {
    const value = `${hex(hi)}_${hex(lo, 8).slice(2)}`;
    throw new LinuxError('ENXIO', `${this.#unit.path}: GITS_BASER${this.#n} does not keep ${value}`);
  }

  get #offset(): number {
    return GITS_BASER.offset + this.#n * GITS_BASER.stride;
  }

  #read(): Uint32Array {
    return readPair(this.#unit.registers, this.#offset);
  }

  #write(value: Uint32Array): Uint32Array {
    writePair(this.#unit.registers, this.#offset, value);
    return this.#read();
  }
}
