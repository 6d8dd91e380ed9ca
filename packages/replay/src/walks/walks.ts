// SPDX-License-Identifier: Apache-2.0
// Recorded page-table walks, read: cases with their tables and probes, and invalidations.

/** The low and high word of 64 bits. */
export type Pair = readonly [lo: number, hi: number];

/** What a device is told by, and the words of its tables. */
export interface WalkTables {
  readonly ste: Uint32Array;
  /** Missing where stage 1 does not translate. */
  readonly cd?: Uint32Array;
  /** Doublewords of RAM by physical address; all others are zero. */
  readonly ram: ReadonlyMap<number, Pair>;
}

/** How an access ended in QEMU. */
export type WalkResult = 'ok' | 'bypass' | 'smmu-disabled' | 'abort' | 'fault' | 'fault-not-recorded';

/** One access of four bytes, after a full invalidation. */
export interface WalkProbe {
  readonly write: boolean;
  readonly address: Pair;
  readonly result: WalkResult;
  /** Where it went. */
  readonly pa?: number;
  /** `rw`, `r` or `w`: of the leaf. */
  readonly perm?: string;
  /** The eight words of the record. */
  readonly event?: Uint32Array;
}

/** How the recorder reads the architecture where QEMU does otherwise. */
export interface ArchitectureNote {
  readonly why: string;
  readonly expected: string;
}

export interface WalkCase {
  readonly name: string;
  /** `1`, `2` or `nested`: what the SMMU has. */
  readonly stages: string;
  readonly streamId: number;
  readonly stePa: number;
  readonly cdPa?: number;
  readonly tables: WalkTables;
  /** By name; 64-bit ones too. */
  readonly registers: Readonly<Record<string, Pair>>;
  readonly differs?: ArchitectureNote;
  readonly probes: readonly WalkProbe[];
}

export interface WalkFile {
  readonly file: string;
  /** Values of the identification registers. */
  readonly silicon: Readonly<Record<string, number>>;
  readonly registers: Readonly<Record<string, Pair>>;
  readonly cases: readonly WalkCase[];
}

/** One command between two accesses to the same address. */
export interface InvalidationCase {
  readonly change: string;
  readonly command: string;
  /** Four words each. */
  readonly commands: readonly Uint32Array[];
  /** What QEMU left in CMDQ_CONS.ERR. */
  readonly commandError: number;
  /** True where QEMU answered as before the change. */
  readonly stale: boolean;
  readonly tables: WalkTables;
  /** The doubleword that software changes before the command; missing where it replaces the CD. */
  readonly changed?: readonly [address: number, value: Pair];
  /** Where the first access went. */
  readonly before: number;
  /** Where the second one went, or the fields of its event as QEMU's decode has them. */
  readonly after: InvalidationAnswer;
}

export type InvalidationAnswer =
  | { readonly pa: number }
  | {
      readonly event: string;
      readonly streamId: number;
      readonly direction: 'read' | 'write';
      readonly stage2: boolean;
      readonly class: string;
      readonly input: Pair;
    };

export interface InvalidationRun {
  readonly stages: string;
  readonly config: number;
  readonly silicon: Readonly<Record<string, number>>;
  readonly cases: readonly InvalidationCase[];
}

export interface InvalidationFile {
  readonly file: string;
  readonly streamId: number;
  readonly address: Pair;
  readonly runs: readonly InvalidationRun[];
}

export interface Walks {
  readonly dir: string;
  readonly walks: readonly WalkFile[];
  readonly invalidations: readonly InvalidationFile[];
}
