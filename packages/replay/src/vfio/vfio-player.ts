// SPDX-License-Identifier: Apache-2.0
// Plays recorded calls one after the other on a machine of models, scenario by scenario: each is a process of its own.

import { ERRNO, LinuxError } from '@irqkit/core';
import type { JsonRecord } from '../capture/json-lines.js';
import type { Tally } from '../report/tally.js';
import { deviceDma, mmapBar, mmapTable, readHardware, readRegion, writeRegion } from './device-calls.js';
import type { Outcome } from './device-calls.js';
import { IOCTLS } from './ioctl-structs.js';
import { enabledLine, faultLine, recordedLines } from './kernel-log.js';
import type { VfioMachine } from './machine.js';
import { layOutMemory } from './memory-layout.js';
import { PlayedProcess } from './played-process.js';
import { recordedRows, vfioRows } from './proc-interrupts.js';
import type { VfioRecord } from './recording.js';

/** What a record noted, and what was answered here. */
export interface Played {
  readonly expected: string;
  readonly got: string;
}

const CLOSES = 'closed descriptors';
const LAYOUT = 'memory of the process';
const RAISED = 'interrupts raised by devices';
const COMMAND = 4;

/** Notes that say what a device was made to raise just before. */
const CAUSES: readonly { readonly note: RegExp; readonly vector: number; readonly times: number }[] = [
  { note: /^RXQ0 twice/, vector: 0, times: 2 },
  { note: /^ICS\.RXQ0/, vector: 0, times: 1 },
  { note: /^ICS\.TXQ0/, vector: 1, times: 1 },
  { note: /^ICS\.OTHER/, vector: 2, times: 1 },
  { note: /^edu raised interrupt|^second$/, vector: 0, times: 1 },
];

export class VfioPlayer {
  readonly #machine: VfioMachine;
  readonly #tally: Tally;
  #played: PlayedProcess | undefined;
  #kernelLog: string[] = [];

  constructor(machine: VfioMachine, tally: Tally) {
    this.#machine = machine;
    this.#tally = tally;
  }

  /** Ends the process of the last scenario. */
  endProcess(): void {
    this.#played?.exit();
    this.#played = undefined;
  }

  /** Starts the process that makes `records`. */
  startProcess(records: readonly VfioRecord[]): void {
    this.endProcess();
    this.#played = new PlayedProcess(this.#machine);
    for (let left = layOutMemory(this.#played, records); left > 0; left--)
      this.#tally.give(LAYOUT, 'notes say what is at addresses outside the buffer; mmap is not recorded');
  }

  /** Undefined for a call that nothing here plays. */
  play(record: VfioRecord): Played | undefined {
    const played = this.#played!;
    if (record.call in IOCTLS) return this.#ioctl(record, played);
    const outcome = this.#other(record, played);
    return outcome && compareOutcome(record, outcome);
  }

  #ioctl(record: VfioRecord, played: PlayedProcess): Played {
    const { call, input, object, ret, output } = record;
    if (call === 'VFIO_GROUP_UNSET_CONTAINER' && ret === 0) this.#closeDevices(object, played);
    const { request, arg, output: answered } = IOCTLS[call](input, played);
    const before = call === 'VFIO_GROUP_GET_DEVICE_FD' ? this.#commandOf(input.string('name')) : undefined;
    const result = played.process.ioctl(played.fd(object), request, arg);
    const failed = result.ret < 0;
    if (!failed) this.#afterIoctl(record, played, result.ret, before);
    // A descriptor is recorded as 0, whatever its number.
    const got = { ret: !failed && before !== undefined ? 0 : result.ret, errname: nameOfErrno(result.errno) };
    return compared(record, got, Object.keys(output.fields).length > 0 ? answered?.() : undefined);
  }

  #afterIoctl({ call, input }: VfioRecord, played: PlayedProcess, ret: number, command: number | undefined): void {
    if (call === 'VFIO_GROUP_GET_DEVICE_FD') {
      const name = input.string('name');
      played.add(name, ret);
      const now = this.#commandOf(name) ?? 0;
      if (command !== undefined && (command & 3) !== (now & 3)) this.#kernelLog.push(enabledLine(name, command, now));
    }
    if (call === 'VFIO_IOMMU_MAP_DMA' && (input.integer('flags') & 3) !== 0) played.noteMapped(input);
    if (call === 'VFIO_IOMMU_UNMAP_DMA') played.noteUnmapped(input);
  }

  #other(record: VfioRecord, played: PlayedProcess): Outcome | undefined {
    const machine = this.#machine;
    switch (record.call) {
      case 'open':
        return attempt(() => this.#open(record, played));
      case 'config-read':
      case 'bar-pread':
        return attempt(() => readRegion(record, played));
      case 'config-write':
      case 'bar-pwrite':
        return attempt(() => writeRegion(record, played));
      case 'bar-mmap':
        return attempt(() => mmapBar(record, played, machine));
      case 'bar-mmap-msix-table':
        return attempt(() => mmapTable(record, played, machine));
      case 'device-dma':
        return deviceDma(record, played, machine);
      case 'eventfd-read':
        return attempt(() => this.#readEventFd(record, played), { count: 0 });
      case 'hw-readback':
        return readHardware(record, machine);
      case 'proc-interrupts-vfio':
        return { ret: 0, output: { lines: vfioRows(machine.host.irqs) } };
      case 'kmsg':
        return { ret: 0, output: { lines: this.#takeKernelLog() } };
      case 'sysfs-iommu-group':
        return { ret: 0, output: this.#groupFiles(record.input.integer('group')) };
      case 'drop-CAP_IPC_LOCK':
        played.process.ipcLock = false;
        played.process.memlockBytes = record.input.integer('rlimit_memlock');
        return { ret: 0 };
      default:
        return undefined;
    }
  }

  // Closes are not recorded: a file that is opened again, and may be, had been closed.
  #open({ object, input, ret }: VfioRecord, played: PlayedProcess): Outcome {
    if (ret === 0 && played.fd(object) >= 0) {
      if (object.startsWith('g')) this.#closeDevices(object, played);
      this.#close(object, played);
    }
    const fd = played.open(input.string('path'));
    played.add(object, fd);
    if (object.startsWith('g')) played.groupOf.set(object, Number(input.string('path').split('/').at(-1)));
    return { ret: 0 };
  }

  // So had the devices of a group that left its container.
  #closeDevices(group: string, played: PlayedProcess): void {
    for (const name of played.openDevices)
      if (this.#machine.device(name).iommuGroup?.id === played.groupOf.get(group)) this.#close(name, played);
  }

  #close(name: string, played: PlayedProcess): void {
    played.close(name);
    this.#tally.give(CLOSES, 'close is not recorded: it is made before a call that succeeds only after it');
  }

  #readEventFd({ input, note }: VfioRecord, played: PlayedProcess): Outcome {
    const cause = CAUSES.find((each) => each.note.test(note));
    const device = played.openDevices.at(-1);
    if (cause && device !== undefined)
      for (let i = 0; i < cause.times; i++) {
        this.#machine.model(device).raise(cause.vector);
        this.#tally.give(RAISED, 'stores to a mapped BAR are not recorded: notes say what they made the device raise');
      }
    return { ret: 0, output: { count: played.readEventFd(input.string('eventfd')) } };
  }

  #takeKernelLog(): readonly string[] {
    const lines = [...this.#kernelLog, ...this.#machine.faults.map(faultLine)];
    this.#kernelLog = [];
    this.#machine.faults.length = 0;
    return lines;
  }

  #groupFiles(id: number): Readonly<Record<string, unknown>> {
    const { iommus } = this.#machine.host;
    const group = iommus.groups.find((each) => each.id === id);
    if (!group) return {};
    const hex16 = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
    return {
      type: iommus.defaultDomainOf(group).type.toUpperCase(),
      reserved_regions: iommus
        .resvRegions(group)
        .map(({ base, sizeBytes, type }) => `${hex16(base)} ${hex16(base + sizeBytes - 1)} ${type.replace('sw-', '')}`),
    };
  }

  #commandOf(name: string): number | undefined {
    const device = this.#machine.host.devices.find(name);
    return device && this.#machine.device(name).readConfig(COMMAND, 2);
  }
}

interface Answer {
  readonly ret: number;
  readonly errname: string;
}

type Failed = Outcome & { readonly errname?: string };

function attempt(work: () => Outcome, output: Readonly<Record<string, unknown>> = {}): Failed {
  try {
    return work();
  } catch (error) {
    if (!LinuxError.is(error)) throw error;
    return { ret: -1, errname: error.code, output };
  }
}

function compareOutcome(record: VfioRecord, outcome: Failed): Played {
  return compared(record, { ret: outcome.ret, errname: outcome.errname ?? '' }, outcome.output);
}

/** Field by field of what was recorded; the kernel's own choices are left out on both sides. */
function compared(
  record: VfioRecord,
  { ret, errname }: Answer,
  output: Readonly<Record<string, unknown>> = {},
): Played {
  const recorded = normalised(record);
  const names = Object.keys(recorded);
  const got = Object.fromEntries(names.map((name) => [name, output[name]]));
  return {
    expected: shown(record.ret, record.errname, recorded),
    got: shown(ret, errname, got),
  };
}

function normalised({ call, output }: VfioRecord): Readonly<Record<string, unknown>> {
  const lines = (record: JsonRecord): readonly string[] => record.list('lines').map(String);
  if (call === 'kmsg') return { lines: recordedLines(lines(output)) };
  if (call === 'proc-interrupts-vfio') return { lines: recordedRows(lines(output), 2) };
  return output.fields;
}

function nameOfErrno(errno: number): string {
  return Object.entries(ERRNO).find(([, number]) => number === errno)?.[0] ?? '';
}

function shown(ret: number, errname: string, output: Readonly<Record<string, unknown>>): string {
  return `${ret}${errname && ` ${errname}`}${Object.keys(output).length > 0 ? ` ${JSON.stringify(output)}` : ''}`;
}
