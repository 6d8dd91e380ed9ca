// SPDX-License-Identifier: Apache-2.0
// The flattened format: Devicetree Specification v0.4, sections 5.2 (header), 5.3 (reservations) and 5.4 (structure block).
// The limits are ours: they bound what a hostile blob can cost.

/** Byte offsets of the header's big-endian words. */
export const HEADER = {
  magic: 0x00,
  totalsize: 0x04,
  off_dt_struct: 0x08,
  off_dt_strings: 0x0c,
  off_mem_rsvmap: 0x10,
  version: 0x14,
  last_comp_version: 0x18,
  boot_cpuid_phys: 0x1c,
  size_dt_strings: 0x20,
  size_dt_struct: 0x24,
  bytes: 0x28,
  /** Version 16 has no size_dt_struct. */
  bytesV16: 0x24,
} as const;

export const FDT_MAGIC = 0xd00dfeed;
export const FDT_VERSION = 17;
export const FDT_FIRST_VERSION = 16;

export const FDT_BEGIN_NODE = 0x1;
export const FDT_END_NODE = 0x2;
export const FDT_PROP = 0x3;
export const FDT_NOP = 0x4;
export const FDT_END = 0x9;

/** Bytes of one entry of the memory reservation block. */
export const RESERVATION_BYTES = 16;

/** @linux FDT_MAX_DEPTH */
export const MAX_DEPTH = 64;
/** Characters of a node's or property's name; the specification recommends 31 at most. */
export const MAX_NAME = 255;
/** Characters of a node's path. */
export const MAX_PATH = 1024;
