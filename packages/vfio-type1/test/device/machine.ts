// SPDX-License-Identifier: Apache-2.0
// A board with PCI functions, an MSI frame and a plain controller; and a process side that only has eventfds.

import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { devicetree, plainController } from '@irqkit/conformance';
import { LinuxError, createHost } from '@irqkit/core';
import type { Host } from '@irqkit/core';
import { pciHostGeneric } from '@irqkit/pci';
import type { PciDevice, PciEndpoint } from '@irqkit/pci';
import { EventFd, VfioPciDriver } from '@irqkit/vfio-type1';
import type { EventFds, VfioPciDevice } from '@irqkit/vfio-type1';
import { bellFrame } from './bell-frame.js';

export const GIC = 1;
export const BELLS = 2;

export interface MachineFacts {
  readonly endpoints: readonly PciEndpoint[];
  readonly nrBells?: number;
  readonly supportedFlags?: number;
}

function firmware() {
  return devicetree({
    '#address-cells': 1,
    '#size-cells': 1,
    'interrupt-parent': GIC,
    'memory@40000000': { device_type: 'memory', reg: [0x4000_0000, 0x100_0000] },
    cpus: { '#address-cells': 1, '#size-cells': 0, 'cpu@0': { device_type: 'cpu', reg: 0 } },
    'intc@8000000': {
      compatible: 'test,plain',
      reg: [0x800_0000, 0x1000],
      phandle: GIC,
      '#address-cells': 0,
      'interrupt-controller': true,
      '#interrupt-cells': 3,
    },
    'bells@8020000': {
      compatible: 'test,bells',
      reg: [0x802_0000, 0x1000],
      phandle: BELLS,
      'msi-controller': true,
    },
    'pcie@10000000': {
      compatible: 'pci-host-ecam-generic',
      device_type: 'pci',
      reg: [0x3f00_0000, 0x100_0000],
      'bus-range': [0, 15],
      '#address-cells': 3,
      '#size-cells': 2,
      '#interrupt-cells': 1,
      ranges: [
        ...[0x0100_0000, 0, 0, 0x3eff_0000, 0, 0x1_0000],
        ...[0x0200_0000, 0, 0x1000_0000, 0x1000_0000, 0, 0x2eff_0000],
      ],
      'msi-map': [0, BELLS, 0, 0x1_0000],
      'interrupt-map-mask': [0, 0, 0, 7],
      'interrupt-map': [0, 0, 0, 1, GIC, 0, 3, 4],
    },
  });
}

/** Records what each eventfd got. */
export class RecordingProcess implements EventFds {
  readonly #eventFds = new Map<number, EventFd>();

  /** A new eventfd's descriptor. */
  add(): number {
    const fd = 10 + this.#eventFds.size;
    this.#eventFds.set(fd, new EventFd());
    return fd;
  }

  eventFd(fd: number): EventFd {
    const found = this.#eventFds.get(fd);
    if (!found) throw new LinuxError('EBADF', `fd ${fd}`);
    return found;
  }

  /** What came since the last look. */
  taken(fd: number): number {
    const eventFd = this.eventFd(fd);
    return eventFd.count === 0 ? 0 : eventFd.take();
  }
}

export class Machine {
  readonly board: Board;
  readonly host: Host;
  readonly process = new RecordingProcess();

  constructor({ endpoints, nrBells, supportedFlags }: MachineFacts) {
    const plugins = [plainController('test,plain'), bellFrame(nrBells, supportedFlags), pciHostGeneric];
    const plugged = { '/pcie@10000000': endpoints.map((model, i) => ({ device: i + 1, model })) };
    const tree = firmware();
    this.board = createBoard({ firmware: tree, plugins, plugged });
    this.host = createHost({ firmware: tree, plugins, bus: this.board.bus });
  }

  pci(slot = 1): PciDevice {
    return this.host.devices.find(`0000:00:0${slot}.0`) as PciDevice;
  }

  open(slot = 1): VfioPciDevice {
    const { irqs, devices } = this.host;
    return new VfioPciDriver({ irqs, devices, bus: this.board.bus }).openDevice(this.pci(slot));
  }

  /** VFIO_DEVICE_SET_IRQS with eventfds. */
  setEventFds(fd: VfioPciDevice, index: number, start: number, fds: readonly number[], flags = 4 | 32): number {
    return fd.ioctl(0x3b6e, words(20 + 4 * fds.length, flags, index, start, fds.length, ...fds), this.process);
  }

  /** With no data. */
  setIrqs(fd: VfioPciDevice, index: number, start: number, count: number, action: number): number {
    return fd.ioctl(0x3b6e, words(20, 1 | action, index, start, count), this.process);
  }

  close(): void {
    this.host.teardown();
    this.board.dispose();
  }
}

export const MASK = 8;
export const UNMASK = 16;
export const TRIGGER = 32;

/** A structure of words in a buffer of 64 bytes at least. */
export function words(...values: readonly number[]): ArrayBuffer {
  const buffer = new ArrayBuffer(Math.max(64, 4 * values.length));
  const view = new DataView(buffer);
  values.forEach((value, i) => view.setUint32(4 * i, value >>> 0, true));
  return buffer;
}

export function read(fd: VfioPciDevice, offset: number, size: number): number {
  const bytes = new Uint8Array(size);
  expect(fd.read(offset, bytes)).toBe(size);
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

export function write(fd: VfioPciDevice, offset: number, size: number, value: number): number {
  return fd.write(
    offset,
    Uint8Array.from({ length: size }, (_, i) => (value >>> (8 * i)) & 0xff),
  );
}

export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (LinuxError.is(error)) return error.code;
    throw error;
  }
  return '';
}
