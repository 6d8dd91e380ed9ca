// SPDX-License-Identifier: Apache-2.0

import { iova } from '@irqkit/core';
import type { FirmwareNode, IommuFault } from '@irqkit/core';
import { describeFault, faultEvent } from './smmu-fault.js';
import type { SmmuFault } from './smmu-fault.js';

/** Beyond it there are no Iovas: the address is in the text alone. */
const LIMIT = 2 ** 52;

/** A fault as users of any IOMMU see it. */
export function iommuFault(node: FirmwareNode, fault: SmmuFault): IommuFault {
  const { device, streamId, address, access } = fault;
  return {
    iommu: node,
    device,
    id: streamId,
    address: address < LIMIT ? iova(address) : undefined,
    write: access === 'write',
    event: faultEvent(fault),
    text: describeFault(fault),
  };
}
