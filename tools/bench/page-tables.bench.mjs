// SPDX-License-Identifier: Apache-2.0
// Page tables beside their sketch, with the sketch's loads: 64 Ki pages drawn from a window of 1 GiB, in a random order; runs of
// 512 pages; 1 GiB as blocks of 2 MiB. Drivers' gathers are on both sides.
import { createPageTable } from '@irqkit/pgtable/build';
import { random } from './random.mjs';
import { GatherTwin, PageTableTwin } from './twins/page-tables.mjs';

/** Exported, so that no result is for nothing. */
export let sink = 0;

const KIB4 = 0x1000;
const MIB2 = 0x20_0000;
const GIB = 2 ** 30;
const PROT = 7;
const NR_PAGES = 65536;
const WINDOW_PAGES = 262144;
const NR_RUNS = 64;
const PAGES_OF_A_RUN = 512;
const TABLE_MEMORY = 0x4000_0000;
const TABLE_BYTES = 64 << 20;
const ALLOCATES_NOTHING_OVER = 2e7;

export function cases() {
  const pages = once(randomPages);
  const runs = once(() => runsOf(MIB2));
  const gibs = once(() => runsOf(GIB));
  return [
    ...besideTwin('random 4K', NR_PAGES, pages, { pageBytes: KIB4, shift: 12, count: 1 }),
    ...lookups(pages),
    ...besideTwin('512 x 4K run, per page', NR_RUNS * PAGES_OF_A_RUN, runs, { pageBytes: KIB4, shift: 12, count: 512 }),
    ...besideTwin('1 GiB as 2M blocks', NR_RUNS, gibs, { pageBytes: MIB2, shift: 21, count: 512 }),
  ];
}

/** Maps and unmaps of all places: each finds the other done. */
function besideTwin(name, ops, places, size) {
  const theirs = switched(() => new Twin(), places, size);
  const ours = switched(() => new Table(), places, size);
  return ['map', 'unmap'].flatMap((verb) => {
    const isMap = verb === 'map';
    const measured = (want) => ({ ops, before: () => want(!isMap), run: () => want(isMap) });
    return [
      { name: `${name}: ${verb}, twin`, ...measured(theirs) },
      {
        name: `${name}: ${verb}`,
        beside: `${name}: ${verb}, twin`,
        ...measured(ours),
        ...(size.count === 1 && { allocatesNothingOver: ALLOCATES_NOTHING_OVER }),
      },
    ];
  });
}

/** A function that maps all places or unmaps them, where that is not so already. */
function switched(make, places, size) {
  const made = once(make);
  let isMapped = false;
  return (mapped) => {
    if (isMapped === mapped) return;
    if (mapped) made().map(places(), size);
    else made().unmap(places(), size);
    isMapped = mapped;
  };
}

function lookups(places) {
  const made = (one) => {
    one.map(places(), { pageBytes: KIB4, shift: 12, count: 1 });
    return one;
  };
  const twin = once(() => made(new Twin()));
  const table = once(() => made(new Table()));
  const name = 'iova_to_phys over 64 Ki pages';
  return [
    { name: `${name}, twin`, ops: NR_PAGES, run: () => (sink += twin().lookUp(places())) },
    {
      name,
      beside: `${name}, twin`,
      ops: NR_PAGES,
      run: () => (sink += table().lookUp(places())),
      allocatesNothingOver: ALLOCATES_NOTHING_OVER,
    },
  ];
}

class Twin {
  #table = new PageTableTwin(TABLE_BYTES, TABLE_MEMORY);
  #gather = new GatherTwin();

  map({ iovas, pas }, { shift, count }) {
    const table = this.#table;
    for (let i = 0; i < iovas.length; i++)
      if (table.mapPages(iovas[i], pas[i], shift, count, PROT) !== count) throw new Error('not mapped');
  }

  unmap({ iovas }, { shift, count }) {
    const table = this.#table;
    const gather = this.#gather;
    for (let i = 0; i < iovas.length; i++) {
      gather.reset();
      if (table.unmapPages(iovas[i], shift, count, gather) !== count) throw new Error('not unmapped');
    }
  }

  lookUp({ asked }) {
    const table = this.#table;
    let sum = 0;
    for (let i = 0; i < asked.length; i++) sum += table.iovaToPhys(asked[i]);
    return sum;
  }
}

class Table {
  #table = createPageTable({
    path: 'bench',
    stage: 1,
    granuleBytes: KIB4,
    iasBits: 48,
    oasBits: 48,
    memory: new FlatMemory(),
    flushWalk: () => sink++,
  });
  #gather = new GatherTwin();

  map({ iovas, pas }, { pageBytes, count }) {
    const table = this.#table;
    for (let i = 0; i < iovas.length; i++) table.mapPages(iovas[i], pas[i], pageBytes, count, PROT);
  }

  unmap({ iovas }, { pageBytes, count }) {
    const table = this.#table;
    const gather = this.#gather;
    for (let i = 0; i < iovas.length; i++) {
      gather.reset();
      const bytes = table.unmapPages(iovas[i], pageBytes, count);
      if (bytes !== count * pageBytes) throw new Error('not unmapped');
      gather.add(iovas[i], bytes, pageBytes);
    }
  }

  lookUp({ asked }) {
    const table = this.#table;
    let sum = 0;
    for (let i = 0; i < asked.length; i++) sum += table.iovaToPhys(asked[i]);
    return sum;
  }
}

/** DMA memory that lies in one piece, as the twin's does. */
class FlatMemory {
  #bytes = new ArrayBuffer(TABLE_BYTES);
  #next = 0;
  #free = new Map();

  alloc(sizeBytes, align = KIB4) {
    const size = Math.max(sizeBytes, KIB4);
    const known = this.#free.get(size)?.pop();
    if (known) {
      known.words.fill(0);
      return known;
    }
    const at = Math.ceil(this.#next / align) * align;
    this.#next = at + size;
    const bytes = new Uint8Array(this.#bytes, at, size);
    return { base: TABLE_MEMORY + at, sizeBytes: size, bytes, words: new Uint32Array(this.#bytes, at, size / 4) };
  }

  free(buffer) {
    const list = this.#free.get(buffer.sizeBytes) ?? [];
    this.#free.set(buffer.sizeBytes, list);
    list.push(buffer);
  }
}

/** The sketch's pages: `iovas` to `pas`, and `asked`: addresses in them. */
function randomPages() {
  const next = random(1);
  const drawn = Uint32Array.from({ length: WINDOW_PAGES }, (_, i) => i);
  for (let i = WINDOW_PAGES - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [drawn[i], drawn[j]] = [drawn[j], drawn[i]];
  }
  const iovas = Float64Array.from({ length: NR_PAGES }, (_, i) => 0x8_0000_0000 + drawn[i] * KIB4);
  const pas = Float64Array.from({ length: NR_PAGES }, (_, i) => 0x10_0000_0000 + drawn[NR_PAGES + i] * KIB4);
  const asked = Float64Array.from(iovas, (_, i) => iovas[Math.imul(i, 40503) & (NR_PAGES - 1)] + (i & (KIB4 - 1)));
  return { iovas, pas, asked };
}

function runsOf(bytes) {
  return {
    iovas: Float64Array.from({ length: NR_RUNS }, (_, i) => 0x10_0000_0000 + i * bytes),
    pas: Float64Array.from({ length: NR_RUNS }, (_, i) => 0x20_0000_0000 + i * bytes),
  };
}

function once(make) {
  let made;
  return () => (made ??= make());
}
