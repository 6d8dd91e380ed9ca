// SPDX-License-Identifier: Apache-2.0
// Regions of a device and its virtual configuration space. Expected values: linux/vfio.h, PCI Express Base Specification 7.5, and the
// behaviour of Linux 6.1 vfio_pci_config.c and vfio_pci_core.c.

import { eduLike, nicLike, nvmeLike } from '@irqkit/pci';
import type { PciEndpoint } from '@irqkit/pci';
import { shellFromRecord } from '@irqkit/pci/model';
import type { VfioPciDevice } from '@irqkit/vfio-type1';
import { Machine, codeOf, read, words, write } from './machine.js';

const REGION = 2 ** 40;
const CONFIG = 7 * REGION;

function opened(
  endpoint: PciEndpoint,
  work: (fd: VfioPciDevice, machine: Machine, endpoint: PciEndpoint) => void,
): void {
  const machine = new Machine({ endpoints: [endpoint] });
  const fd = machine.open();
  try {
    work(fd, machine, endpoint);
  } finally {
    fd.close();
    machine.close();
  }
}

const info = (fd: VfioPciDevice, machine: Machine, request: number, ...given: readonly number[]): readonly number[] => {
  const arg = words(...given);
  expect(fd.ioctl(request, arg, machine.process)).toBe(0);
  return [...new Uint32Array(arg).slice(0, 10)];
};

/** A configuration space with a vendor capability between two hidden ones, as `shellFromRecord` takes it. */
function shellWith(capabilities: readonly (readonly [at: number, ...bytes: number[]])[]): PciEndpoint {
  const config = new Uint8Array(256);
  config.set([0x34, 0x12, 0x78, 0x56, 0, 0, 0x10, 0]);
  config[0x34] = capabilities[0][0];
  for (const [at, ...bytes] of capabilities) config.set(bytes, at);
  const digits = [...config].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const resource = [{ i: 0, start: '0x10000000', end: '0x10000fff', flags: '0x40200' }];
  return shellFromRecord({ bdf: '0000:00:01.0', config: digits, resource }) as PciEndpoint;
}

describe('information', () => {
  test('of the device: nine regions, five interrupt indices, and whether it can be reset', () => {
    opened(nicLike({ vectors: 5 }), (fd, machine) => {
      expect(info(fd, machine, 0x3b6b, 20, 9, 9, 9, 9).slice(0, 5)).toEqual([20, 2, 9, 5, 0]);
      expect(info(fd, machine, 0x3b6b, 16, 9, 9, 9, 9).slice(0, 5)).toEqual([16, 2, 9, 5, 9]);
      expect(codeOf(() => fd.ioctl(0x3b6b, words(15), machine.process))).toBe('EINVAL');
      expect(codeOf(() => fd.ioctl(0x3b6f, 0, machine.process))).toBe('EINVAL');
      expect(codeOf(() => fd.ioctl(0x3b70, words(64), machine.process))).toBe('ENODEV');
      expect(codeOf(() => fd.ioctl(0x3b99, words(64), machine.process))).toBe('ENOTTY');
    });
  });

  test('of regions: BARs with what they may do, configuration space, nothing else', () => {
    opened(nicLike({ vectors: 5 }), (fd, machine) => {
      const region = (index: number) => info(fd, machine, 0x3b6c, 64, 0, index).slice(1, 8);
      expect(region(0)).toEqual([7, 0, 0, 0x2_0000, 0, 0, 0]);
      expect(region(2)).toEqual([3, 2, 0, 0x20, 0, 0, 0x200]);
      expect(region(3)).toEqual([15, 3, 32, 0x2000, 0, 0, 0x300]);
      expect(region(4)).toEqual([0, 4, 0, 0, 0, 0, 0x400]);
      expect(region(6)).toEqual([0, 6, 0, 0, 0, 0, 0x600]);
      expect(region(7)).toEqual([3, 7, 0, 0x1000, 0, 0, 0x700]);
      for (const index of [8, 9, 0xffff_ffff])
        expect(codeOf(() => fd.ioctl(0x3b6c, words(64, 0, index), machine.process))).toBe('EINVAL');
    });
  });

  test('a capability that does not fit is left out, and argsz says what would', () => {
    opened(nvmeLike({ vectors: 3 }), (fd, machine) => {
      expect(info(fd, machine, 0x3b6c, 64, 0, 0).slice(8, 10)).toEqual([0x1_0003, 0]);
      expect(info(fd, machine, 0x3b6c, 39, 0, 0).slice(0, 4)).toEqual([40, 15, 0, 0]);
    });
  });

  test('of interrupts: how many of each, and which can be masked', () => {
    opened(nicLike({ vectors: 5 }), (fd, machine) => {
      const irq = (index: number) => info(fd, machine, 0x3b6d, 16, 0, index).slice(1, 4);
      expect([0, 1, 2, 3, 4].map(irq)).toEqual([
        [7, 0, 1],
        [9, 1, 8],
        [9, 2, 5],
        [9, 3, 1],
        [9, 4, 1],
      ]);
      expect(codeOf(() => fd.ioctl(0x3b6d, words(16, 0, 5), machine.process))).toBe('EINVAL');
    });
    opened(eduLike(), (fd, machine) => {
      expect(info(fd, machine, 0x3b6d, 16, 0, 2).slice(1, 4)).toEqual([9, 2, 0]);
      expect(codeOf(() => fd.ioctl(0x3b6d, words(16, 0, 3), machine.process))).toBe('EINVAL');
    });
  });
});

describe('BARs', () => {
  test('are read and written at any width while memory decoding is on', () => {
    opened(eduLike(), (fd, machine) => {
      expect(read(fd, 0, 4)).toBe(0x0100_00ed);
      write(fd, 4, 4, 0x1234);
      expect(read(fd, 4, 4)).toBe(0xffff_edcb);
      expect(codeOf(() => fd.read(0x10_0000, new Uint8Array(4)))).toBe('EINVAL');
      expect(fd.read(0xf_fffe, new Uint8Array(4))).toBe(2);
      write(fd, CONFIG + 4, 2, 0);
      expect(codeOf(() => fd.read(0, new Uint8Array(4)))).toBe('EIO');
      expect(codeOf(() => fd.write(0, new Uint8Array(4)))).toBe('EIO');
      expect(machine.pci().readConfig(4, 2)).toBe(0);
    });
  });

  test('the MSI-X table reads as ones and is not written; an mmap has it', () => {
    opened(nvmeLike({ vectors: 3 }), (fd, machine, nvme) => {
      const { base } = machine.pci().barRegion(0);
      expect(read(fd, 0x2000, 4)).toBe(0xffff_ffff);
      expect(write(fd, 0x2000, 4, 0x1234_5678)).toBe(4);
      expect(nvme.readBar(0, 0x2000, 4)).toBe(0);
      expect(read(fd, 0x2030, 4)).toBe(0);
      const across = new Uint8Array(8);
      expect(fd.read(0x1ffc, across)).toBe(8);
      expect([...across]).toEqual([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
      expect(fd.mmap(0x2000, 0x1000)).toEqual({ base: base + 0x2000, sizeBytes: 0x1000 });
      expect(codeOf(() => fd.mmap(0x3000, 0x2000))).toBe('EINVAL');
      expect(codeOf(() => fd.mmap(CONFIG, 0x1000))).toBe('EINVAL');
    });
  });
});

describe('configuration space', () => {
  test('BARs answer as hardware does, and the real ones stay', () => {
    opened(nicLike({ vectors: 5 }), (fd, machine) => {
      const real = machine.pci().readConfig(0x10, 4);
      expect(read(fd, CONFIG + 0x10, 4)).toBe(real);
      write(fd, CONFIG + 0x10, 4, 0xffff_ffff);
      write(fd, CONFIG + 0x18, 4, 0xffff_ffff);
      expect(read(fd, CONFIG + 0x10, 4)).toBe(0xfffe_0000);
      expect(read(fd, CONFIG + 0x18, 4)).toBe(0xffff_ffe1);
      write(fd, CONFIG + 0x10, 4, 0xdeac_0000);
      expect(read(fd, CONFIG + 0x10, 4)).toBe(0xdeac_0000);
      expect(machine.pci().readConfig(0x10, 4)).toBe(real);
      write(fd, CONFIG + 0x30, 4, 0xffff_ffff);
      expect(read(fd, CONFIG + 0x30, 4)).toBe(0);
    });
  });

  test('the MSI capability is a copy that enables nothing', () => {
    opened(eduLike(), (fd, machine) => {
      const at = machine.pci().findCapability(5)!;
      write(fd, CONFIG + at + 4, 4, 0x1234_5678);
      write(fd, CONFIG + at + 12, 2, 0xabcd);
      expect([read(fd, CONFIG + at + 4, 4), read(fd, CONFIG + at + 12, 2)]).toEqual([0x1234_5678, 0xabcd]);
      write(fd, CONFIG + at + 2, 2, 0x00f1);
      expect(read(fd, CONFIG + at + 2, 2)).toBe(0x80);
      expect([at + 4, at + 12].map((offset) => machine.pci().readConfig(offset, 4))).toEqual([0, 0]);
      const eventFd = machine.process.add();
      machine.setEventFds(fd, 1, 0, [eventFd]);
      write(fd, CONFIG + at + 2, 2, 0x0081);
      expect(machine.pci().readConfig(at + 2, 2)).toBe(0x81);
      expect(read(fd, CONFIG + at + 4, 4)).toBe(0x1234_5678);
    });
  });

  test('Interrupt Line is a copy, ids and the pin cannot be written', () => {
    opened(eduLike(), (fd, machine) => {
      write(fd, CONFIG + 0x3c, 1, 0x5a);
      expect([read(fd, CONFIG + 0x3c, 1), machine.pci().readConfig(0x3c, 1)]).toEqual([0x5a, 0]);
      write(fd, CONFIG + 0x3d, 1, 4);
      write(fd, CONFIG, 4, 0);
      expect([read(fd, CONFIG + 0x3d, 1), read(fd, CONFIG, 4)]).toEqual([1, 0x11e8_1234]);
    });
  });

  test('the MSI-X capability is read-only', () => {
    opened(nvmeLike({ vectors: 3 }), (fd, machine) => {
      const at = machine.pci().findCapability(0x11)!;
      write(fd, CONFIG + at + 2, 2, 0xc000);
      expect([read(fd, CONFIG + at + 2, 2), machine.pci().readConfig(at + 2, 2)]).toEqual([2, 2]);
    });
  });

  test('capabilities that user space cannot have are left out of the list', () => {
    const SUBSYSTEM_IDS = 0x0d;
    const shell = shellWith([
      [0x40, SUBSYSTEM_IDS, 0x48, 0, 0],
      [0x48, 0x09, 0x50, 8, 0xaa],
      [0x50, SUBSYSTEM_IDS, 0x58, 0, 0],
      [0x58, 0x01, 0x00, 0x03, 0xc8],
    ]);
    opened(shell, (fd) => {
      expect(read(fd, CONFIG + 0x34, 1)).toBe(0x48);
      expect(read(fd, CONFIG + 0x48, 4)).toBe(0xaa08_5809);
      expect(read(fd, CONFIG + 0x58, 2)).toBe(0x0001);
      // PME support is hidden.
      expect(read(fd, CONFIG + 0x5a, 2)).toBe(0x0003);
    });
  });

  test('accesses of odd sizes and places are the same bytes; beyond the end is EFAULT', () => {
    opened(eduLike(), (fd) => {
      const bytes = new Uint8Array(7);
      expect(fd.read(CONFIG + 1, bytes)).toBe(7);
      expect([...bytes.slice(0, 3)]).toEqual([0x12, 0xe8, 0x11]);
      expect(codeOf(() => fd.read(CONFIG + 0xfe, new Uint8Array(4)))).toBe('EFAULT');
      expect(fd.read(CONFIG, new Uint8Array(0))).toBe(0);
      for (const index of [6, 8, 9]) expect(codeOf(() => fd.read(index * REGION, new Uint8Array(4)))).toBe('EINVAL');
    });
  });
});

test('a function that has reset by power management is reset with its configuration put back', () => {
  opened(shellWith([[0x40, 0x01, 0x00, 0x03, 0x00, 0x00, 0x00]]), (fd, machine) => {
    expect(info(fd, machine, 0x3b6b, 20).slice(1, 2)).toEqual([3]);
    write(fd, CONFIG + 4, 2, 6);
    const bar = machine.pci().readConfig(0x10, 4);
    expect(fd.ioctl(0x3b6f, 0, machine.process)).toBe(0);
    expect([machine.pci().readConfig(4, 2), machine.pci().readConfig(0x10, 4)]).toEqual([6, bar]);
  });
});

test('opening switches decoding on and mastering off, and nothing is warned of', () => {
  opened(nicLike({ vectors: 1 }), (fd, machine) => {
    expect(read(fd, CONFIG + 4, 2)).toBe(3);
    expect(machine.host.log.warnings).toEqual([]);
    expect(machine.board.log.entries).toEqual([]);
  });
});
