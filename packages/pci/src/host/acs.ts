// SPDX-License-Identifier: Apache-2.0
// What Access Control Services say about isolation: PCI Express Base Specification 6.12; where it leaves a choice, as Linux 6.1
// drivers/pci/pci.c (behaviour).
// UNIMP: devices that isolate without ACS

import { ACS, DEVICE_PORT_TYPE } from '../regs.js';

/** Access Control Services: bits of its registers. Control alone says what is in force. */
export interface AcsState {
  readonly capable: number;
  readonly control: number;
}

/** A function, as far as its isolation goes. */
export interface AcsFunction {
  /** Device/Port Type; undefined on a conventional function. */
  readonly portType: number | undefined;
  /** True for one of several functions of a device. */
  readonly isMultiFunction: boolean;
  /** Undefined where it has no Access Control Services. */
  readonly acs: AcsState | undefined;
}

/** What must be in force for requests to reach the IOMMU and name their true requester. @linux REQ_ACS_FLAGS */
const REQUIRED =
  ACS.Source_Validation.set(0, 1) |
  ACS.P2P_Request_Redirect.set(0, 1) |
  ACS.P2P_Completion_Redirect.set(0, 1) |
  ACS.Upstream_Forwarding.set(0, 1);

/** True where nothing below, and no other function beside it, reaches around it. @linux pci_acs_enabled */
export function isIsolated(device: AcsFunction): boolean {
  switch (device.portType) {
    // A shared bus lets everyone on it receive everything.
    case undefined:
    case DEVICE_PORT_TYPE.PCIE_TO_PCI_BRIDGE:
    case DEVICE_PORT_TYPE.PCI_TO_PCIE_BRIDGE:
    case DEVICE_PORT_TYPE.RC_EVENT_COLLECTOR:
      return false;
    case DEVICE_PORT_TYPE.ROOT_PORT:
    case DEVICE_PORT_TYPE.DOWNSTREAM_PORT:
      return isInForce(device.acs);
    default:
      return !device.isMultiFunction || isInForce(device.acs);
  }
}

// A service that is required and that the capability does not name is hard-wired on. @linux pci_acs_flags_enabled
function isInForce(acs: AcsState | undefined): boolean {
  if (!acs) return false;
  const required = REQUIRED & acs.capable;
  return (acs.control & required) === required;
}
