// SPDX-License-Identifier: Apache-2.0
// The commands the driver issues, as the four words that go into the queue. IHI 0070, chapter 4 "Commands".

import {
  CMD_CFGI_STE,
  CMD_CFGI_STE_RANGE,
  CMD_PREFETCH_CONFIG,
  CMD_RESUME,
  CMD_SYNC,
  CMD_TLBI_EL2_ALL,
  CMD_TLBI_NH_ASID,
  CMD_TLBI_NH_VA,
  CMD_TLBI_NSNH_ALL,
  CMD_TLBI_S12_VMALL,
  CMD_TLBI_S2_IPA,
  COMMAND_BYTES,
  RANGE_ALL,
  SYNC_CS,
  commandOpcode,
} from '../commands.js';
import { MEMATTR, SHAREABILITY } from '../regs.js';

function words(opcode: number): Uint32Array {
  const command = new Uint32Array(COMMAND_BYTES / 4);
  commandOpcode.put(command, opcode);
  return command;
}

/** CMD_CFGI_ALL. */
export function cfgiAll(): Uint32Array {
  const command = words(CMD_CFGI_STE_RANGE.opcode);
  CMD_CFGI_STE_RANGE.Range.put(command, RANGE_ALL);
  return command;
}

export function cfgiSte(sid: number): Uint32Array {
  const command = words(CMD_CFGI_STE.opcode);
  CMD_CFGI_STE.StreamID.put(command, sid);
  CMD_CFGI_STE.Leaf.put(command, 1);
  return command;
}

export function prefetchConfig(sid: number): Uint32Array {
  const command = words(CMD_PREFETCH_CONFIG.opcode);
  CMD_PREFETCH_CONFIG.StreamID.put(command, sid);
  return command;
}

export function tlbiNsnhAll(): Uint32Array {
  return words(CMD_TLBI_NSNH_ALL.opcode);
}

export function tlbiEl2All(): Uint32Array {
  return words(CMD_TLBI_EL2_ALL.opcode);
}

export function tlbiAsid(asid: number): Uint32Array {
  const command = words(CMD_TLBI_NH_ASID.opcode);
  CMD_TLBI_NH_ASID.ASID.put(command, asid);
  return command;
}

export function tlbiVmall(vmid: number): Uint32Array {
  const command = words(CMD_TLBI_S12_VMALL.opcode);
  CMD_TLBI_S12_VMALL.VMID.put(command, vmid);
  return command;
}

/** Without an address yet. */
export function tlbiVa(asid: number): Uint32Array {
  const command = words(CMD_TLBI_NH_VA.opcode);
  CMD_TLBI_NH_VA.ASID.put(command, asid);
  return command;
}

/** Without an address yet. */
export function tlbiIpa(vmid: number): Uint32Array {
  const command = words(CMD_TLBI_S2_IPA.opcode);
  CMD_TLBI_S2_IPA.VMID.put(command, vmid);
  return command;
}

/** Aborts a stalled transaction. @linux CMDQ_RESUME_0_RESP_ABORT */
export function abortStalled(sid: number, stag: number): Uint32Array {
  const command = words(CMD_RESUME.opcode);
  CMD_RESUME.Ab.put(command, 1);
  CMD_RESUME.StreamID.put(command, sid);
  CMD_RESUME.STAG.put(command, stag);
  return command;
}

export function sync(): Uint32Array {
  const command = words(CMD_SYNC.opcode);
  CMD_SYNC.CS.put(command, SYNC_CS.SEV);
  CMD_SYNC.MSH.put(command, SHAREABILITY.INNER);
  CMD_SYNC.MSIAttr.put(command, MEMATTR.NORMAL_WRITE_BACK);
  return command;
}
