// SPDX-License-Identifier: Apache-2.0
// What an MSI costs at the least from a device's write to a pending LPI: `full` and `route` of ../shared/prototypes/e2e3.mjs, the
// same loads, tests and stores in the same order with names for a reader. `its` is the twin of ITS translation.

const PAGES_BELOW_1_GIB = 2 ** 18;
const NR_STREAMS = 256;
const NR_TLB_ENTRIES = 1024;
const VALID = -0x8000_0000;
const WRITABLE = 2;
const PERMISSIONS = 28;
const SPREAD = 0x9e37_79b1 | 0;
const ITS_FRAME = 7;
const TRANSLATER = 0x40;

/** `doorbellPage`: the number of the page with the doorbell, at offset 0x40, below 1 GiB. */
export function msiTwin(its, doorbellPage) {
  const domains = new Int32Array(NR_STREAMS).fill(-1);
  /** Four words an entry: page, tag, physical page, permissions with the rest of the physical page. */
  const tlb = new Int32Array(NR_TLB_ENTRIES * 4);
  const kinds = new Uint8Array(PAGES_BELOW_1_GIB);
  /** Four words a stream: generation, then the address, low word first. */
  const routes = new Int32Array(NR_STREAMS * 4);
  const generations = new Int32Array(2);
  const tables = [];
  const { signal } = its;
  kinds[doorbellPage] = ITS_FRAME;
  generations[1] = 1;

  const mapPage = (streamId, page, physicalPage) => {
    domains[streamId] = streamId;
    (tables[streamId] ??= new Map()).set(page, physicalPage);
  };

  const miss = (entry, domain, page, tag) => {
    const physicalPage = tables[domain].get(page);
    if (physicalPage === undefined) return 3;
    tlb[entry] = page;
    tlb[entry + 1] = tag;
    tlb[entry + 2] = physicalPage;
    tlb[entry + 3] = 3 << PERMISSIONS;
    return 0;
  };

  /** IOTLB, decode, ITS: the LPI, 0 or negative where there is none. */
  const full = (streamId, hi, lo, data) => {
    if (streamId >>> 0 > NR_STREAMS - 1) return -1;
    const domain = domains[streamId];
    if (domain < 0) return -1;
    const page = (hi << 20) | (lo >>> 12);
    const tag = VALID | (domain << 4) | (hi >>> 12);
    const entry = ((page ^ (page >>> 9) ^ (Math.imul(domain, SPREAD) >>> 7)) & (NR_TLB_ENTRIES - 1)) << 2;
    if (tlb[entry] !== page || tlb[entry + 1] !== tag) {
      const error = miss(entry, domain, page, tag);
      if (error !== 0) return -error;
    }
    const physicalPage = tlb[entry + 2];
    const flags = tlb[entry + 3];
    if (((flags >>> PERMISSIONS) & WRITABLE) === 0) return -2;
    if ((flags & 15) !== 0 || physicalPage >>> 18 !== 0 || kinds[physicalPage] !== ITS_FRAME) return 0;
    if ((lo & 0xfff) !== TRANSLATER) return -9;
    return signal(streamId, data);
  };

  const latch = (streamId, hi, lo, data) => {
    const result = full(streamId, hi, lo, data);
    if (result > 0) {
      const route = streamId << 2;
      routes[route] = generations[1];
      routes[route + 1] = lo;
      routes[route + 2] = hi;
    }
    return result;
  };

  /** A route that was latched, ITS. */
  const route = (streamId, hi, lo, data) => {
    const at = (streamId & (NR_STREAMS - 1)) << 2;
    if (routes[at] === generations[1] && routes[at + 1] === lo && routes[at + 2] === hi) return signal(streamId, data);
    return latch(streamId, hi, lo, data);
  };

  return { mapPage, full, route };
}
