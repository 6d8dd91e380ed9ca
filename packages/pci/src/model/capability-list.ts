// SPDX-License-Identifier: Apache-2.0
// Where a function's capabilities lie in its configuration space. PCI Express Base Specification 7.5.1.1.11 and 7.6.3.

import { CONFIG_SPACE_BYTES, Capabilities_Pointer, Capability, Extended_Capability, Status } from '../regs.js';
import type { ConfigSpace } from './config-space.js';

/** Offset of the first capability with that id. A list that loops or leaves the space ends there. */
export function findCapability(config: ConfigSpace, id: number): number | undefined {
  if (!Status.Capabilities_List(config.get(Status))) return undefined;
  const seen = new Set<number>();
  let offset = config.get(Capabilities_Pointer) & ~3;
  while (offset >= Capability.firstOffset && !seen.has(offset)) {
    seen.add(offset);
    const header = config.read(offset, 2);
    if (Capability.ID(header) === id) return offset;
    offset = Capability.Next(header) & ~3;
  }
  return undefined;
}

/** Offset of the first extended capability with that id. */
export function findExtendedCapability(config: ConfigSpace, id: number): number | undefined {
  if (config.sizeBytes < CONFIG_SPACE_BYTES.EXTENDED) return undefined;
  const seen = new Set<number>();
  let offset: number = Extended_Capability.firstOffset;
  while (offset >= Extended_Capability.firstOffset && !seen.has(offset)) {
    seen.add(offset);
    const header = config.read(offset, 4);
    if (header === 0) return undefined;
    if (Extended_Capability.ID(header) === id) return offset;
    offset = Extended_Capability.Next(header) & ~3;
  }
  return undefined;
}
