// SPDX-License-Identifier: Apache-2.0
// Why a command fails, or why an interrupt reaches nobody, after the error names of IHI 0069, section 5.3.

export type ItsError =
  | 'DEVICE_OOR'
  | 'ITTSIZE_OOR'
  | 'PROCNUM_OOR'
  | 'COLLECTION_OOR'
  | 'UNMAPPED_DEVICE'
  | 'ID_OOR'
  | 'PHYSICALID_OOR'
  | 'UNMAPPED_INTERRUPT'
  | 'UNMAPPED_COLLECTION'
  /** Not a command. */
  | 'COMMAND'
  /** A table entry that is not in memory, or cannot hold the value. */
  | 'TABLE';
