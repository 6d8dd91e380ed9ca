// SPDX-License-Identifier: Apache-2.0
// From (StreamID, address) to a physical address: the SMMUv3 model on flat memory, set up by its registers, beside the sketch
// on the same tables; with every page remembered, and with 16 pages remembered of thousands.
import { SmmuV3Model, VIRT_SILICON, layouts, regs } from '@irqkit/smmu-v3';
import { random } from './random.mjs';
import { iotlbTwin } from './twins/iotlb.mjs';

/** Exported, so that no result is for nothing. */
export let sink = 0;

const NR_DEVICES = 64;
const NR_ACCESSES = 2 ** 16;
const SLICE = 2 ** 10;
const BASE = 0x4000_0000;
const MEMORY_BYTES = 64 << 20;
const FIRST_IOVA = 0xffff_0000_000;
/** Physical addresses below 2^31: larger ones are doubles, which V8 boxes where a call returns them. */
const TARGET = 0x6000_0000;
/** AF, inner shareable, writable by all, nG. */
const PAGE = 0xf43;
const READ_WRITE = 3;

export function cases() {
  const hit = once(() => pairOf(16, 14));
  const miss = once(() => pairOf(256, 4));
  return [...beside('IOTLB hit', hit, 1e7), ...beside('IOTLB miss, 4 levels', miss, 1e7), byRequester(hit)];
}

function beside(name, pair, allocatesNothingOver) {
  return [
    { name: `${name}, sketch`, ops: NR_ACCESSES, run: () => run(someSketch, pair()) },
    {
      name: `${name}, model`,
      beside: `${name}, sketch`,
      ops: NR_ACCESSES,
      run: () => run(someModel, pair()),
      allocatesNothingOver,
    },
  ];
}

/** The same as the board asks, with a requester and the address as a number. */
function byRequester(pair) {
  return {
    name: 'IOTLB hit, translate',
    beside: 'IOTLB hit, sketch',
    ops: NR_ACCESSES,
    run: () => run(someTranslate, pair()),
  };
}

/** Slices, so that the loop is compiled as a function that was left before. */
function run(some, pair) {
  for (let from = 0; from < NR_ACCESSES; from += SLICE) sink = (sink + some(pair, from, from + SLICE)) | 0;
}

function someSketch({ sketch, out, sids, his, los }, from, to) {
  let sum = 0;
  for (let i = from; i < to; i++) {
    if (sketch(sids[i], his[i], los[i], READ_WRITE) !== 0) throw new Error('the sketch faulted');
    sum = (sum + out[1]) | 0;
  }
  return sum;
}

function someModel({ model, sids, his, los }, from, to) {
  const { translateWords } = model;
  let sum = 0;
  for (let i = from; i < to; i++) {
    const pa = translateWords(sids[i], -1, his[i], los[i], true);
    if (pa < 0) throw new Error('the model faulted');
    sum = (sum + pa) | 0;
  }
  return sum;
}

function someTranslate({ model, requesters, sids, addresses }, from, to) {
  let sum = 0;
  for (let i = from; i < to; i++) {
    const pa = model.translate(requesters[sids[i]], addresses[i], true);
    if (pa < 0) throw new Error('the model faulted');
    sum = (sum + pa) | 0;
  }
  return sum;
}

/** A model and a sketch with the same tables: `nrPages` of each device; accesses of any of them in the sketch's own order. */
function pairOf(nrPages, log2Iotlb) {
  const tables = new Tables();
  const roots = Int32Array.from({ length: NR_DEVICES }, (_, device) => tables.map(device, nrPages));
  const out = new Int32Array(2);
  const domains = Int32Array.from({ length: NR_DEVICES }, (_, device) => device);
  const sketch = iotlbTwin({ memory: tables.memory, base: BASE | 0, roots, domains, log2Entries: log2Iotlb, out });
  const accesses = accessesOf(nrPages);
  const pair = { sketch, out, model: modelOf(tables, roots, log2Iotlb), requesters: requesters(), ...accesses };
  const { sids, his, los } = accesses;
  for (let i = 0; i < 1000; i++) {
    sketch(sids[i], his[i], los[i], READ_WRITE);
    const wanted = out[0] * 2 ** 32 + (out[1] >>> 0);
    const pa = pair.model.translateWords(sids[i], -1, his[i], los[i], true);
    if (pa !== wanted) throw new Error(`the model gives ${pa}, the sketch ${wanted}`);
  }
  return pair;
}

function accessesOf(nrPages) {
  const sids = new Int32Array(NR_ACCESSES);
  const his = new Int32Array(NR_ACCESSES);
  const los = new Int32Array(NR_ACCESSES);
  const addresses = new Float64Array(NR_ACCESSES);
  const device = random(4242);
  const page = random(31337);
  for (let i = 0; i < NR_ACCESSES; i++) {
    sids[i] = device() % NR_DEVICES;
    device();
    addresses[i] = FIRST_IOVA + (page() % nrPages) * 4096 + (i & 4095);
    his[i] = (addresses[i] / 2 ** 32) | 0;
    los[i] = addresses[i] | 0;
  }
  return { sids, his, los, addresses };
}

function requesters() {
  return Array.from({ length: NR_DEVICES }, (_, streamId) =>
    Object.freeze({
      kind: 'device',
      cpu: -1,
      requesterId: streamId,
      streamId,
      substreamId: undefined,
      deviceId: streamId,
    }),
  );
}

/** Memory from BASE on, given out by pages; also the model's way to it. */
class Tables {
  memory = new Int32Array(MEMORY_BYTES / 4);
  #words = new Uint32Array(this.memory.buffer);
  #bytes = new Uint8Array(this.memory.buffer);
  #window = { base: BASE, words: this.#words };
  #next = 0;

  /** The first word of a new page. */
  page() {
    return this.#next++ * 1024;
  }

  load(pa, into) {
    const at = pa - BASE;
    if (!(at >= 0 && at + into.length <= MEMORY_BYTES)) return false;
    for (let i = 0; i < into.length; i++) into[i] = this.#bytes[at + i];
    return true;
  }

  load64(pa, into) {
    const at = (pa - BASE) / 4;
    if (!(at >= 0 && at < this.#words.length)) return false;
    into[0] = this.#words[at];
    into[1] = this.#words[at + 1];
    return true;
  }

  window(pa) {
    return pa >= BASE && pa < BASE + MEMORY_BYTES ? this.#window : undefined;
  }

  store() {
    return false;
  }

  /** Maps the pages of a device; gives the first word of its root table. */
  map(device, nrPages) {
    const root = this.page();
    for (let i = 0; i < nrPages; i++)
      this.#mapPage(root, FIRST_IOVA + i * 4096, TARGET + (device * nrPages + i) * 4096);
    return root;
  }

  #mapPage(root, iova, pa) {
    let table = root;
    for (const shift of [39, 30, 21]) {
      const at = table + (Math.floor(iova / 2 ** shift) % 512) * 2;
      if (this.#words[at] === 0) this.memory[at] = (BASE + this.page() * 4) | 3;
      table = (this.#words[at] - (this.#words[at] % 4096) - BASE) / 4;
    }
    const at = table + (Math.floor(iova / 4096) % 512) * 2;
    this.memory[at] = pa | PAGE;
    this.memory[at + 1] = Math.floor(pa / 2 ** 32);
  }
}

function modelOf(tables, roots, log2Iotlb) {
  const { CD, STE, STE_CONFIG } = layouts;
  const words = new Uint32Array(tables.memory.buffer);
  const strtab = tables.page();
  const contexts = tables.page();
  for (let sid = 0; sid < NR_DEVICES; sid++) {
    const ste = words.subarray(strtab + sid * 16, strtab + (sid + 1) * 16);
    STE.V.put(ste, 1);
    STE.Config.put(ste, STE_CONFIG.S1);
    STE.S1ContextPtr.put(ste, BASE + (contexts + sid * 16) * 4);
    const cd = words.subarray(contexts + sid * 16, contexts + (sid + 1) * 16);
    for (const field of ['V', 'EPD1', 'AA64', 'A', 'R']) CD[field].put(cd, 1);
    CD.T0SZ.put(cd, 16);
    CD.IPS.put(cd, 4);
    CD.ASID.put(cd, sid + 1);
    CD.TTB0.put(cd, BASE + roots[sid] * 4);
  }
  const log = { guest: fail, unimp: fail };
  const silicon = { ...VIRT_SILICON, log2Iotlb };
  const model = new SmmuV3Model({ path: '/smmuv3', strings: () => undefined }, silicon, tables, [], undefined, log);
  const [frame] = model.frames;
  frame.write64(regs.STRTAB_BASE.offset, BASE + strtab * 4, 0);
  frame.write(regs.STRTAB_BASE_CFG.offset, 6, 4);
  frame.write(regs.CR0.offset, regs.CR0.SMMUEN.mask, 4);
  return model;
}

function fail(format) {
  throw new Error(format);
}

function once(make) {
  let made;
  return () => (made ??= make());
}
