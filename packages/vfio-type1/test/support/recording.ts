// SPDX-License-Identifier: Apache-2.0
// The calls on containers and groups of a recording of a real kernel, made again on a rig with the recorded machine's groups.

import { readFileSync } from 'node:fs';
import { LinuxError, physAddr } from '@irqkit/core';
import type { Device } from '@irqkit/core';
import type { Process } from '@irqkit/vfio-type1';
import { callBytes, resultOf } from './recorded-call.js';
import type { RecordedCall } from './recorded-call.js';
import { Rig } from './rig.js';

/** Functions by group, and who had them when the recording began; `+` where the driver leaves DMA to others. */
const MACHINE: readonly (readonly [name: string, group: string, driver: string])[] = [
  ['0000:00:01.0', '0', 'pcieport+'],
  ['0000:01:00.0', '0', 'nvme'],
  ['0000:00:07.0', '1', 'shpchp'],
  ['0000:02:02.0', '1', 'e1000'],
  ['0000:00:02.0', '2', 'virtio-pci'],
  ['0000:00:03.0', '3', 'virtio-pci'],
  ['0000:00:05.0', '4', 'nvme'],
  ['0000:00:08.0', '5', 'nvme'],
  ['0000:00:08.1', '5', ''],
  ['0000:00:04.0', '6', 'e1000e'],
  ['0000:00:06.0', '7', ''],
];

const BUFFER_BYTES = 64 * 2 ** 20;

interface Result {
  readonly ret: number;
  readonly errno: number;
  readonly out: unknown;
}

export function readRecording(path: string): RecordedCall[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedCall);
}

export class RecordedMachine {
  readonly rig = new Rig();
  readonly differences: { readonly call: RecordedCall; readonly ours: Result }[] = [];
  compared = 0;
  #process: Process;
  #buffer = 0;
  readonly #fds = new Map<string, number>();
  readonly #devices: readonly Device[];

  constructor() {
    this.#devices = MACHINE.map(([name, groupKey, driver]) => {
      const device = this.rig.device(name, { groupKey });
      if (driver) this.#bindHost(device, driver);
      return device;
    });
    this.#process = this.rig.process();
  }

  play(call: RecordedCall): void {
    if (call.call === undefined) return;
    if (call.scenario === 'shell') this.#shell(call);
    else {
      if (call.n === 0) this.#restart();
      this.#call(call);
    }
  }

  #call(call: RecordedCall): void {
    const { rlimit_memlock: memlock, path = '' } = call.in;
    if (memlock !== undefined) Object.assign(this.#process, { ipcLock: false, memlockBytes: memlock });
    else if (call.call === 'open' && path.startsWith('/dev/vfio/')) this.#open(call, path);
    else if (/^[cg]\d$/.test(call.obj ?? '')) this.#ioctl(call);
  }

  #restart(): void {
    this.#process.exit();
    this.#process = this.rig.process();
    this.#fds.clear();
    this.#buffer = this.#process.mm.mmap({ sizeBytes: BUFFER_BYTES, unitBytes: 2 ** 21 });
  }

  /** A name that is opened again was closed before, along with its devices: closing is not in the recording. */
  #open(call: RecordedCall, path: string): void {
    const name = call.obj ?? '';
    if (call.ret === 0) this.#close((known) => known.split('/')[0] === name);
    const errno = errnoOf(() => this.#fds.set(name, this.rig.system.open(this.#process, path)));
    this.#compare(call, { ret: errno === 0 ? 0 : -1, errno, out: {} });
  }

  #ioctl(call: RecordedCall): void {
    this.#prepareMemory(call);
    // So were the devices of a group that left.
    if (call.call === 'VFIO_GROUP_UNSET_CONTAINER' && call.ret === 0)
      this.#close((known) => known.startsWith(`${call.obj ?? ''}/`));
    const { mm } = this.#process;
    const bitmap = mm.mmap({ sizeBytes: 0x1000 });
    const { request, arg } = callBytes(call, { buffer: this.#buffer, bitmap, fdOf: (name) => this.#fdOf(name) });
    const { ret, errno } = this.#process.ioctl(this.#fdOf(call.obj ?? ''), request, arg);
    const out = resultOf(call, arg, (into) => mm.read(bitmap, into));
    mm.munmap(bitmap, 0x1000);
    // The recorder writes 0 for a descriptor.
    const isFd = call.call === 'VFIO_GROUP_GET_DEVICE_FD' && ret > 0;
    if (isFd) this.#fds.set(`${call.obj ?? ''}/${ret}`, ret);
    this.#compare(call, { ret: isFd ? 0 : ret, errno, out });
  }

  #close(which: (name: string) => boolean): void {
    for (const [name, fd] of this.#fds)
      if (which(name)) {
        this.#process.close(fd);
        this.#fds.delete(name);
      }
  }

  #compare(call: RecordedCall, ours: Result): void {
    this.compared++;
    const agrees =
      ours.ret === call.ret && ours.errno === call.errno && JSON.stringify(ours.out) === JSON.stringify(call.out);
    if (!agrees) this.differences.push({ call, ours });
  }

  #fdOf(name: string): number {
    if (name === '/dev/null') return this.#process.install({ path: name, release: () => undefined });
    return this.#fds.get(name) ?? -1;
  }

  /** What lies at addresses outside the buffer: the notes tell. */
  #prepareMemory({ call, in: { vaddr = '' }, note = '' }: RecordedCall): void {
    const { mm } = this.#process;
    const at = Number(vaddr);
    if (call !== 'VFIO_IOMMU_MAP_DMA') return;
    if (note.startsWith('PROT_NONE') || note.startsWith('read-only')) {
      mm.munmap(at, 0x1000);
      mm.mmap({ vaddr: at, sizeBytes: 0x1000, protection: { read: note.startsWith('read'), write: false } });
    } else if (note.startsWith('third page')) mm.mmap({ vaddr: at, sizeBytes: 0x2000 });
    else if (note.includes('mmap of device BAR0'))
      mm.mapDevice({ base: physAddr(0x1060_0000), sizeBytes: 0x1000 }, { read: true, write: true }, at);
  }

  #shell(call: RecordedCall): void {
    const { system } = this.rig;
    const [first = '', ...rest] = (call.in.value ?? '').trim().split(/[ =]/);
    const device = this.#devices.find(({ name }) => name === first);
    switch (call.call) {
      case 'set-param':
        system.settings.dmaEntryLimit = Number(rest[0]);
        return;
      case 'bind-host-driver-while-vfio-owns-group':
        this.#compareBinding(call, device);
        return;
      case 'group-devices':
        this.#freeAllBut(String((call.out as { text: string }).text));
        return;
    }
    this.#process.exit();
    if (call.call === 'bind-host-driver-after-vfio-closed') this.#compareBinding(call, device);
    if (device && call.call === 'unbind') system.bindings.unbind(device);
    if (device && call.call === 'bind-vfio-pci') system.bindDevice(device);
    if (device && call.call === 'rebind-host') {
      system.unbindDevice(device);
      this.#bindHost(device, 'nvme');
    }
    if (call.call === 'dev-vfio-ls') {
      const text = `${[...system.groupIds, 'vfio'].join(' ')}  `;
      this.#compare(call, { ret: 0, errno: call.errno, out: { text } });
    }
  }

  #bindHost(device: Device, driver: string): void {
    const managedDma = driver.endsWith('+');
    this.rig.system.bindings.bind(device, { name: driver.replace('+', ''), managedDma });
  }

  #compareBinding(call: RecordedCall, device?: Device): void {
    const errno = device ? errnoOf(() => this.#bindHost(device, 'nvme')) : 0;
    this.#compare(call, { ret: errno === 0 ? 0 : 1, errno: call.errno, out: call.out });
  }

  /** `name=driver` pairs: those without a driver were unbound meanwhile. */
  #freeAllBut(pairs: string): void {
    const { bindings } = this.rig.system;
    for (const [name, driver] of pairs.split(' ').map((pair) => pair.split('='))) {
      const device = this.#devices.find((each) => each.name === name);
      if (device && driver === '' && bindings.of(device)) bindings.unbind(device);
    }
  }
}

function errnoOf(act: () => void): number {
  try {
    act();
    return 0;
  } catch (error) {
    if (LinuxError.is(error)) return error.errno;
    throw error;
  }
}
