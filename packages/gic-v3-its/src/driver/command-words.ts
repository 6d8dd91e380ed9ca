// SPDX-License-Identifier: Apache-2.0
// The commands the driver issues, as the eight words that go into the queue. IHI 0069, section 5.3 "ITS commands".

import {
  CLEAR,
  COMMAND_BYTES,
  DISCARD,
  INT,
  INV,
  INVALL,
  MAPC,
  MAPD,
  MAPTI,
  MOVI,
  SYNC,
  commandNumber,
} from '../commands.js';

/** What MAPD says of a device. */
export interface MappedDevice {
  readonly deviceId: number;
  readonly ittAddress: number;
  /** A power of two. */
  readonly nrEvents: number;
}

function words(number: number): Uint32Array {
  const command = new Uint32Array(COMMAND_BYTES / 4);
  commandNumber.put(command, number);
  return command;
}

/** Unmapping repeats what was mapped, as Linux does. */
export function mapd({ deviceId, ittAddress, nrEvents }: MappedDevice, valid: boolean): Uint32Array {
  const command = words(MAPD.number);
  MAPD.DeviceID.put(command, deviceId);
  MAPD.Size.put(command, Math.log2(nrEvents) - 1);
  MAPD.ITT_addr.put(command, ittAddress);
  MAPD.V.put(command, valid ? 1 : 0);
  return command;
}

export function mapc(icid: number, rdbase: number, valid: boolean): Uint32Array {
  const command = words(MAPC.number);
  MAPC.ICID.put(command, icid);
  MAPC.RDbase.put(command, rdbase);
  MAPC.V.put(command, valid ? 1 : 0);
  return command;
}

export function mapti(deviceId: number, eventId: number, intid: number, icid: number): Uint32Array {
  const command = words(MAPTI.number);
  MAPTI.DeviceID.put(command, deviceId);
  MAPTI.EventID.put(command, eventId);
  MAPTI.pINTID.put(command, intid);
  MAPTI.ICID.put(command, icid);
  return command;
}

export function movi(deviceId: number, eventId: number, icid: number): Uint32Array {
  const command = words(MOVI.number);
  MOVI.DeviceID.put(command, deviceId);
  MOVI.EventID.put(command, eventId);
  MOVI.ICID.put(command, icid);
  return command;
}

export function invall(icid: number): Uint32Array {
  const command = words(INVALL.number);
  INVALL.ICID.put(command, icid);
  return command;
}

export function sync(rdbase: number): Uint32Array {
  const command = words(SYNC.number);
  SYNC.RDbase.put(command, rdbase);
  return command;
}

export const discard = ofEvent(DISCARD);
export const inv = ofEvent(INV);
export const int = ofEvent(INT);
export const clear = ofEvent(CLEAR);

function ofEvent({ number, DeviceID, EventID }: typeof INV | typeof INT | typeof CLEAR | typeof DISCARD) {
  return (deviceId: number, eventId: number): Uint32Array => {
    const command = words(number);
    DeviceID.put(command, deviceId);
    EventID.put(command, eventId);
    return command;
  };
}
