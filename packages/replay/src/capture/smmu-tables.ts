// SPDX-License-Identifier: Apache-2.0
// What the recorder found in an SMMU's translation tables at the moment of a snapshot: smmu-tables*.json.

import type { JsonRecord } from './json-lines.js';

/** One leaf descriptor. */
export interface RecordedLeaf {
  readonly iova: number;
  readonly stage: 1 | 2;
  /** The descriptor's low and high word. */
  readonly descriptor: readonly [lo: number, hi: number];
  /** Of the block or page, as a power of two. */
  readonly log2Size: number;
}

export class SmmuTables {
  /** Position of the snapshot in the capture's sequence. */
  readonly n: number;
  /** By StreamID, then by size and address. */
  readonly #leaves: ReadonlyMap<number, ReadonlyMap<number, ReadonlyMap<number, RecordedLeaf>>>;

  constructor(n: number, streams: ReadonlyMap<number, readonly RecordedLeaf[]>) {
    this.n = n;
    this.#leaves = new Map([...streams].map(([streamId, leaves]) => [streamId, bySize(leaves)]));
  }

  /** The leaf that maps an address of a stream. */
  leafOf(streamId: number, iova: number): RecordedLeaf | undefined {
    for (const [log2Size, leaves] of this.#leaves.get(streamId) ?? []) {
      const leaf = leaves.get(iova - (iova % 2 ** log2Size));
      if (leaf) return leaf;
    }
    return undefined;
  }
}

/** Reads one entry of the file: a StreamID and the leaves below its STE. @throws CaptureError */
export function streamIn(record: JsonRecord): readonly [streamId: number, leaves: readonly RecordedLeaf[]] {
  const leaves = (['leaves', 's2_leaves'] as const).flatMap((name) =>
    record.has(name) ? record.records(name).map((leaf) => leafIn(leaf, name === 'leaves' ? 1 : 2)) : [],
  );
  return [record.address('sid'), leaves];
}

function leafIn(record: JsonRecord, stage: 1 | 2): RecordedLeaf {
  const log2Size = record.integer('bits');
  if (log2Size < 12 || log2Size > 47) throw record.wrong('bits', 'the size of a page or block');
  return { iova: record.address('iova'), stage, descriptor: record.words('desc'), log2Size };
}

function bySize(leaves: readonly RecordedLeaf[]): Map<number, Map<number, RecordedLeaf>> {
  const sizes = new Map<number, Map<number, RecordedLeaf>>();
  for (const leaf of leaves) {
    const own = sizes.get(leaf.log2Size) ?? new Map<number, RecordedLeaf>();
    sizes.set(leaf.log2Size, own.set(leaf.iova, leaf));
  }
  return sizes;
}
