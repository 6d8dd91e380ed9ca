// SPDX-License-Identifier: Apache-2.0
// The tree of a devicetree blob as it lies there: names and bytes, nothing decoded.

/** A property: its bytes are a view of the blob it was parsed from. */
export interface FdtProperty {
  readonly name: string;
  readonly value: Uint8Array;
  /** Byte offset of the value within its blob. */
  readonly offset?: number;
}

export interface FdtNode {
  /** With its unit address; empty for the root. */
  readonly name: string;
  /** In the order of the blob. */
  readonly properties: readonly FdtProperty[];
  readonly children: readonly FdtNode[];
  /** Byte offset of its FDT_BEGIN_NODE within its blob. */
  readonly offset?: number;
}

/** An entry of the memory reservation block. Both numbers use all 64 bits. */
export interface FdtReservation {
  readonly address: bigint;
  readonly sizeBytes: bigint;
}

export interface Fdt {
  /** Of the blob it was parsed from; `writeFdt` always writes 17. */
  readonly version: number;
  /** The physical id of the processor that boots. */
  readonly bootCpuid: number;
  readonly reservations: readonly FdtReservation[];
  readonly root: FdtNode;
}
