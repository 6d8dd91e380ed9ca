// SPDX-License-Identifier: Apache-2.0
// What each ITS command does. IHI 0069, section 5.3. Missing: the commands of GICv4.

import type { LpiSink, ModelLog } from '@irqkit/core';
import {
  CLEAR,
  COMMAND_NAMES,
  DISCARD,
  INT,
  INV,
  INVALL,
  MAPC,
  MAPD,
  MAPI,
  MAPTI,
  MOVALL,
  MOVI,
  SYNC,
  VMAPI,
  VMAPP,
  VMAPTI,
  VMOVI,
  VMOVP,
  VINVALL,
  VSGI,
  VSYNC,
  INVDB,
  commandNumber,
} from '../commands.js';
import { FIRST_LPI } from '../regs.js';
import type { ItsParameters } from '../silicon.js';
import type { Collections } from './collections.js';
import type { Devices } from './devices.js';
import type { ItsError } from './its-error.js';
import type { Translation } from './translation.js';

/** The parts of an ITS that commands work on. */
export interface CommandTargets {
  readonly parameters: ItsParameters;
  readonly devices: Devices;
  readonly collections: Collections;
  readonly translation: Translation;
  readonly lpis: LpiSink;
  readonly log: ModelLog;
}

/** RDbase fields are in place: PE numbers, and addresses without their low 16 bits. */
const RDBASE_UNIT = 0x1_0000;

export class CommandSet {
  readonly #its: CommandTargets;

  constructor(targets: CommandTargets) {
    this.#its = targets;
  }

  /** Runs one command of eight words. A command that fails has done nothing. */
  run(words: Uint32Array): ItsError | undefined {
    switch (commandNumber(words)) {
      case MOVI.number:
        return this.#movi(MOVI.DeviceID(words), MOVI.EventID(words), MOVI.ICID(words));
      case INT.number:
        return this.#int(INT.DeviceID(words), INT.EventID(words));
      case CLEAR.number:
        return this.#clear(CLEAR.DeviceID(words), CLEAR.EventID(words));
      case SYNC.number:
        return this.#sync(SYNC.RDbase(words));
      case MAPD.number:
        return this.#mapd(MAPD.DeviceID(words), MAPD.V(words), MAPD.Size(words), MAPD.ITT_addr(words));
      case MAPC.number:
        return this.#mapc(MAPC.ICID(words), MAPC.V(words), MAPC.RDbase(words) / RDBASE_UNIT);
      case MAPTI.number:
        return this.#mapti(MAPTI.DeviceID(words), MAPTI.EventID(words), MAPTI.pINTID(words), MAPTI.ICID(words));
      case MAPI.number:
        return this.#mapti(MAPI.DeviceID(words), MAPI.EventID(words), MAPI.EventID(words), MAPI.ICID(words));
      case INV.number:
        return this.#inv(INV.DeviceID(words), INV.EventID(words));
      case INVALL.number:
        return this.#invall(INVALL.ICID(words));
      case MOVALL.number:
        return this.#movall(MOVALL.RDbase1(words) / RDBASE_UNIT, MOVALL.RDbase2(words) / RDBASE_UNIT);
      case DISCARD.number:
        return this.#discard(DISCARD.DeviceID(words), DISCARD.EventID(words));
      case VMOVI.number:
      case VMOVP.number:
      case VSGI.number:
      case VSYNC.number:
      case VMAPP.number:
      case VMAPTI.number:
      case VMAPI.number:
      case VINVALL.number:
      case INVDB.number:
        // UNIMP: virtual LPIs
        this.#its.log.unimp('%s: virtual LPIs', COMMAND_NAMES[commandNumber(words)] ?? '');
        return undefined;
      default:
        return 'COMMAND';
    }
  }

  #mapd(deviceId: number, valid: number, size: number, ittAddress: number): ItsError | undefined {
    const { devices, parameters } = this.#its;
    if (valid === 1 && 2 ** (size + 1) > parameters.nrEventIds) return 'ITTSIZE_OOR';
    const error = valid === 1 ? devices.map(deviceId, ittAddress, size) : devices.unmap(deviceId);
    return this.#changed(error);
  }

  // CHOICE: LPIs that are pending stay where they are when their collection goes elsewhere or nowhere; software moves them
  // by MOVALL.
  #mapc(icid: number, valid: number, rdbase: number): ItsError | undefined {
    const { collections, translation } = this.#its;
    const error = valid === 1 ? collections.map(icid, rdbase) : collections.unmap(icid);
    translation.dropAll();
    return error;
  }

  // CHOICE: mapping an event that is mapped replaces the mapping, as in QEMU.
  #mapti(deviceId: number, eventId: number, lpi: number, icid: number): ItsError | undefined {
    const { devices, collections, lpis } = this.#its;
    const error = devices.find(deviceId);
    if (error !== undefined) return error;
    if (eventId >= devices.nrEvents) return 'ID_OOR';
    if (icid >= collections.limit) return 'COLLECTION_OOR';
    if (lpi < FIRST_LPI || lpi >= 2 ** lpis.idBits) return 'PHYSICALID_OOR';
    return this.#changed(devices.mapEvent(eventId, lpi, icid));
  }

  #movi(deviceId: number, eventId: number, icid: number): ItsError | undefined {
    const { devices, collections, translation, lpis } = this.#its;
    const error = translation.find(deviceId, eventId);
    if (error !== undefined) return error;
    const from = collections.target;
    const unmapped = collections.find(icid);
    if (unmapped !== undefined) return unmapped;
    const { lpi } = devices;
    const failed = this.#changed(devices.mapEvent(eventId, lpi, icid));
    if (failed === undefined && from !== collections.target) lpis.movePending(from, collections.target, lpi);
    return failed;
  }

  // CHOICE: an event whose collection is not mapped is not discarded, as in KVM and QEMU.
  #discard(deviceId: number, eventId: number): ItsError | undefined {
    const { devices, collections, translation, lpis } = this.#its;
    const error = translation.find(deviceId, eventId);
    if (error !== undefined) return error;
    const failed = this.#changed(devices.unmapEvent(eventId));
    if (failed === undefined) lpis.clearPending(collections.target, devices.lpi);
    return failed;
  }

  #int(deviceId: number, eventId: number): ItsError | undefined {
    const { devices, collections, translation, lpis } = this.#its;
    const error = translation.find(deviceId, eventId);
    if (error === undefined) lpis.setPending(collections.target, devices.lpi);
    return error;
  }

  #clear(deviceId: number, eventId: number): ItsError | undefined {
    const { devices, collections, translation, lpis } = this.#its;
    const error = translation.find(deviceId, eventId);
    if (error === undefined) lpis.clearPending(collections.target, devices.lpi);
    return error;
  }

  #inv(deviceId: number, eventId: number): ItsError | undefined {
    const { devices, collections, translation, lpis } = this.#its;
    const error = translation.find(deviceId, eventId);
    if (error === undefined) lpis.invalidate(collections.target, devices.lpi);
    return error;
  }

  #invall(icid: number): ItsError | undefined {
    const { collections, lpis } = this.#its;
    const error = collections.find(icid);
    if (error === undefined) lpis.invalidateAll(collections.target);
    return error;
  }

  #movall(rdbase1: number, rdbase2: number): ItsError | undefined {
    const { collections, lpis } = this.#its;
    const from = collections.targetOf(rdbase1);
    const to = collections.targetOf(rdbase2);
    if (from < 0 || to < 0) return 'PROCNUM_OOR';
    if (from !== to) lpis.moveAllPending(from, to);
    return undefined;
  }

  // Software may give memory to two tables at once, so a write to one of them can change what any entry says.
  #changed(error: ItsError | undefined): ItsError | undefined {
    const { devices, collections, translation } = this.#its;
    collections.storedAt(devices.storedAt);
    translation.dropAll();
    return error;
  }

  // Every command before it has taken effect already.
  #sync(rdbase: number): ItsError | undefined {
    return this.#its.collections.targetOf(rdbase / RDBASE_UNIT) < 0 ? 'PROCNUM_OOR' : undefined;
  }
}
