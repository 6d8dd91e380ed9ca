// SPDX-License-Identifier: Apache-2.0
// Hardware from firmware and plugins: the one place where a board's parts meet.

import { LinuxError } from '@irqkit/core';
import type { Firmware, IrqLine, Region } from '@irqkit/core';
import { RingLog } from './board-log.js';
import { restoreBoard, saveBoard } from './board-state.js';
import type { Board, BoardOptions } from './board.js';
import { buildModels } from './build-models.js';
import type { Models } from './models.js';
import { Processors } from './processors.js';
import { BoardDmaMemory } from './ram/board-dma-memory.js';
import { Ram } from './ram/ram.js';
import { AddressSpace } from './space/address-space.js';
import { BoardBus } from './space/board-bus.js';
import { CpuAccess } from './space/cpu-access.js';
import { BoardRawAccess } from './space/raw-access.js';
import { CurrentSystemRegisters } from './system-registers.js';
import { Switchboard } from './wires/switchboard.js';

const DEFAULT_RAM_LIMIT = 2 ** 30;

/**
 * Builds every model that `plugins` have for the available nodes of `firmware`, and the board around them.
 * @throws LinuxError EEXIST where two plugins claim one `compatible` string, or two nodes answer one address;
 * ENODEV where `silicon` names no node or `plugged` one that nothing models; EPROBE_DEFER where models wait for one
 * another; FirmwareError; or what a model's constructor throws. Nothing is left behind then.
 */
export function createBoard(options: BoardOptions): Board {
  const { firmware } = options;
  const log = new RingLog(options.log);
  const boardLog = log.of('/');
  const ram = new Ram(firmware.memory, options.ramBytesLimit ?? DEFAULT_RAM_LIMIT, boardLog);
  const memory = new BoardDmaMemory(ram, reservedOf(firmware));
  const cpus = new Processors(firmware.cpus);
  const space = new AddressSpace();
  for (const region of ram.regions) space.add('/memory', region, region, region);
  const wires = new Switchboard(cpus);
  const { models, release } = buildModels(options, { ram, cpus, space, wires, log });
  const { systemRegisters } = models;
  if (systemRegisters) cpus.sysregs = new CurrentSystemRegisters(cpus, systemRegisters);
  const stateful = { firmware, ram, space, models, wires, cpus };
  let disposed = false;
  return {
    bus: new BoardBus(space, cpus, memory, boardLog),
    ram,
    models: models.byPath,
    log,
    access: new BoardRawAccess(space, cpus, new CpuAccess(space, cpus, boardLog)),
    wire: (path, specifier) => ownerWire(firmware, models, wires, path, specifier),
    save: () => saveBoard(stateful),
    restore: (state) => restoreBoard(stateful, state),
    dispose: () => {
      if (disposed) return;
      disposed = true;
      space.clear();
      release();
    },
  };
}

function reservedOf(firmware: Firmware): Region[] {
  return (firmware.find('/reserved-memory')?.children ?? []).flatMap((node) => node.regs);
}

function ownerWire(
  firmware: Firmware,
  models: Models,
  wires: Switchboard,
  path: string,
  specifier: readonly number[],
): IrqLine {
  const controller = firmware.find(path);
  if (!controller) throw new LinuxError('ENODEV', `${path}: no such node`);
  if (!models.controller(controller, controller).line(specifier))
    throw new LinuxError('EINVAL', `${path}: no input <${specifier.join(' ')}>`);
  return wires.ownerWire({ controller, args: specifier });
}
