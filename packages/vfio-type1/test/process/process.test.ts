// SPDX-License-Identifier: Apache-2.0
// Descriptors, eventfds and the end of a process.

import { EventFd, Process } from '@irqkit/vfio-type1';
import type { OpenFile } from '@irqkit/vfio-type1';
import { FakeMemory } from '../support/fake-memory.js';
import { errnoOf } from '../support/session.js';

const PAGE = 0x1000;

function aProcess() {
  const memory = new FakeMemory();
  return { memory, process: new Process({ memory }) };
}

function file(path: string, released: string[]): OpenFile {
  return { path, release: () => void released.push(path) };
}

describe('descriptors', () => {
  test('the lowest free number is taken, from 3 on', () => {
    const { process } = aProcess();
    const fds = ['a', 'b', 'c'].map((path) => process.install(file(path, [])));
    expect(fds).toEqual([3, 4, 5]);
    process.close(4);
    expect(process.install(file('d', []))).toBe(4);
    expect(process.file(4).path).toBe('d');
  });

  test('a file is released with its last descriptor', () => {
    const { process } = aProcess();
    const released: string[] = [];
    const fd = process.install(file('a', released));
    const second = process.dup(fd);
    process.close(fd);
    expect(released).toEqual([]);
    process.close(second);
    expect(released).toEqual(['a']);
    expect(errnoOf(() => process.close(second))).toBe('EBADF');
    expect(errnoOf(() => process.dup(second))).toBe('EBADF');
  });

  test('what a file lacks is the errno of the call', () => {
    const { process } = aProcess();
    const fd = process.install(file('a', []));
    expect(process.ioctl(fd, 1, 0)).toEqual({ ret: -1, errno: 25 });
    expect(process.ioctl(99, 1, 0)).toEqual({ ret: -1, errno: 9 });
    expect(errnoOf(() => process.read(fd, 0, new Uint8Array(1)))).toBe('EINVAL');
    expect(errnoOf(() => process.write(fd, 0, new Uint8Array(1)))).toBe('EINVAL');
    expect(errnoOf(() => process.mmap(fd, 0, PAGE, { read: true, write: true }))).toBe('ENODEV');
    expect(errnoOf(() => process.eventFd(fd))).toBe('EINVAL');
  });

  test('an error that is no errno is not swallowed', () => {
    const { process } = aProcess();
    const broken: OpenFile = {
      ...file('a', []),
      ioctl: () => {
        throw new Error('broken');
      },
    };
    const fd = process.install(broken);
    expect(() => process.ioctl(fd, 1, 0)).toThrow('broken');
  });

  test('a file’s memory is mapped where it is', () => {
    const { process } = aProcess();
    const mmap = (offset: number, sizeBytes: number) => ({ base: (0x1060_0000 + offset) as never, sizeBytes });
    const fd = process.install({ ...file('a', []), mmap });
    const at = process.mmap(fd, PAGE, 2 * PAGE, { read: true, write: true }, 0x5000_0000);
    expect(at).toBe(0x5000_0000);
    expect(process.mm.physOf(at + PAGE)).toBe(0x1060_2000);
  });
});

describe('exit', () => {
  test('R22: memory goes, then every file, one that fails keeping none of the others', () => {
    const { memory, process } = aProcess();
    const released: string[] = [];
    process.mm.mmap({ sizeBytes: PAGE });
    process.install(file('a', released));
    process.install({
      path: 'broken',
      release: () => {
        throw new Error('broken');
      },
    });
    process.dup(process.install(file('b', released)));
    expect(() => process.exit()).toThrow(AggregateError);
    expect(released).toEqual(['a', 'b']);
    expect([memory.usedBytes, process.alive]).toEqual([0, false]);
    process.exit();
    expect(errnoOf(() => process.install(file('late', released)))).toBe('ESRCH');
    expect(released).toEqual(['a', 'b', 'late']);
  });
});

describe('eventfd', () => {
  test('signals add up until they are read', () => {
    const { process } = aProcess();
    const eventFd = new EventFd();
    const fd = process.install(eventFd);
    expect(errnoOf(() => eventFd.take())).toBe('EAGAIN');
    eventFd.signal();
    eventFd.signal(2);
    expect(process.eventFd(fd).count).toBe(3);
    expect(eventFd.take()).toBe(3);
    expect(errnoOf(() => eventFd.take())).toBe('EAGAIN');
  });

  test('who listens is called at each signal, until removed or closed', () => {
    const { process } = aProcess();
    const eventFd = new EventFd(1);
    const seen: number[] = [];
    const remove = eventFd.onSignal(({ count }) => void seen.push(count));
    eventFd.signal();
    remove();
    eventFd.signal();
    eventFd.onSignal(({ count }) => void seen.push(count));
    const fd = process.install(eventFd);
    eventFd.signal();
    process.close(fd);
    eventFd.signal();
    expect(seen).toEqual([2, 4]);
  });
});
