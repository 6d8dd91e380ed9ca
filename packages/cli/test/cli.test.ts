// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { EXIT, runCli } from '@irqkit/cli';
import type { JourneyReport } from '@irqkit/cli';
import { changedPlatform, fileOf, PLATFORM, V2M_PLATFORM, withProperties } from './platform.js';

interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

function run(argv: readonly string[], screen: { terminal?: boolean; color?: boolean } = {}): Ran {
  const written = { out: '', err: '' };
  const io = {
    out: (text: string) => void (written.out += text),
    err: (text: string) => void (written.err += text),
    terminal: screen.terminal ?? false,
    color: screen.color ?? false,
  };
  const exit = runCli({ argv, io, defaultPlatform: PLATFORM, version: '1.2.3' });
  return { exit, ...written };
}

describe('irqkit run', () => {
  test('prints topology, messages, doorbells, /proc/interrupts and a last line of sums', () => {
    const { exit, out, err } = run(['run']);
    expect([exit, err]).toEqual([EXIT.OK, '']);
    expect(out).toMatch(/^ {2}3: +1 +0 +MSI 32768 Edge +0000:00:02\.0-0$/m);
    expect(out).toMatch(/^0000:01:00\.0 +MSI-X +0-32 +0xfffff040 +0x100 +0x0-0x20 +LPI 8208-8240 +33$/m);
    expect(out).toMatch(/^0x8090040 +4 +1 +true$/m);
    expect(out).toContain('safe: every doorbell tells devices apart');
    expect(out).toMatch(/^0000:01:00\.0 +\/smmuv3@9050000 +0x100 +2 +dma +0xfffff040 -> 0x8090040$/m);
    expect(out).toContain("0000:00:02.0 writes to 0x8090040, the doorbell's own address: stopped\n");
    expect(out.trimEnd().split('\n').at(-1)).toBe('47 vectors enabled, 47 delivered');
  });

  test('--platform takes another devicetree, such as the GICv2m one that ships with the package', () => {
    const { exit, out } = run(['run', '--platform', V2M_PLATFORM]);
    expect(exit).toBe(EXIT.OK);
    expect(out).toMatch(/^0000:01:00\.0 +MSI-X +3-32 +0x8020040 +0x100 +0x60-0x7d +SPI 96-125 +30$/m);
    expect(out).toContain('unsafe: any device can raise any interrupt of doorbell 0x8020040');
  });

  test('a pipe gets plain text, a terminal frames and colours, NO_COLOR frames alone', () => {
    const escape = '\u001b[';
    const plain = run(['run']).out;
    expect(plain).toMatch(/^[\x20-\x7e\n]*$/);
    expect(plain).not.toMatch(/ $/m);
    const colored = run(['run'], { terminal: true, color: true }).out;
    expect(colored).toContain(escape);
    expect(colored).toContain('│');
    const colorless = run(['run'], { terminal: true }).out;
    expect(colorless).not.toContain(escape);
    expect(colorless).toContain('│');
  });

  test('--json gives the same facts', () => {
    const { exit, out } = run(['run', '--json']);
    const report = JSON.parse(out) as JourneyReport & { platform: string };
    expect(exit).toBe(EXIT.OK);
    expect(report).toMatchObject({
      platform: PLATFORM,
      vectorsEnabled: 47,
      vectorsDelivered: 47,
      safe: true,
      ok: true,
    });
    const block = {
      firstVector: 0,
      nrVectors: 8,
      address: 0xffff_f040,
      deviceId: 0x18,
      firstData: 0,
      firstIntid: 8200,
    };
    expect(report.devices[1].blocks).toEqual([block]);
  });

  test('exits 1 where a device gets no vector', () => {
    const scarce = changedPlatform('v2m@8020000', (node) =>
      withProperties(node, { 'arm,msi-base-spi': 80, 'arm,msi-num-spis': 16 }),
    );
    const { exit, out } = run(['run', '--platform', fileOf(scarce)]);
    expect(exit).toBe(EXIT.FAILED);
    expect(out).toMatch(/^0000:01:00\.0: 3 of 33 vectors: .*\(ENOSPC\)$/m);
    expect(out).toContain('16 vectors enabled, 16 delivered');
  });
});

test('irqkit dt prints source', () => {
  const { exit, out } = run(['dt', PLATFORM]);
  expect(exit).toBe(EXIT.OK);
  expect(out).toMatch(/^\/dts-v1\/;\n\n\/ \{\n/);
  expect(out).toContain('its@8080000 {');
});

describe('bad input and usage: exit 2 and one line', () => {
  const truncated = () => fileOf(readFileSync(PLATFORM).subarray(0, 3000));
  const gicv5 = () =>
    fileOf(changedPlatform('intc@8000000', (node) => withProperties(node, { compatible: 'arm,gic-v5' })));

  test.each([
    ['a missing file', () => ['dt', '/nowhere/at.dtb'], /^irqkit: \/nowhere\/at\.dtb: no such file or directory$/],
    ['a directory', () => ['run', '--platform', tmpdir()], /^irqkit: .*: illegal operation on a directory$/],
    [
      'text',
      () => ['dt', fileOf('no devicetree at all, but text of more than forty bytes')],
      /^irqkit: .*: fdt header: /,
    ],
    ['an empty file', () => ['run', '--platform', fileOf('')], /^irqkit: .*: fdt header: /],
    ['a truncated tree', () => ['run', '--platform', truncated()], /^irqkit: .*: .*totalsize/],
    ['controllers nobody drives', () => ['run', '--platform', gicv5()], /^irqkit: .*: \/pcie@10000000: .*arm,gic-v5/],
    ['a capture that is none', () => ['replay', '/nowhere'], /^irqkit: \/nowhere: no such file or directory$/],
    ['an unknown command', () => ['fly'], /^error: unknown command 'fly'$/],
    ['an unknown option', () => ['run', '--fast'], /^error: unknown option '--fast'$/],
    ['a missing argument', () => ['dt'], /^error: missing required argument 'FILE'$/],
    [
      'an option without its value',
      () => ['run', '--platform'],
      /^error: option '--platform <FILE.dtb>' argument missing$/,
    ],
    ['too many arguments', () => ['dt', 'a', 'b'], /^error: too many arguments/],
  ])('%s', (_what, argv, message) => {
    const { exit, out, err } = run(argv());
    expect([exit, out]).toEqual([EXIT.BAD_INPUT, '']);
    expect(err.trimEnd()).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });
});

test('--version and --help are no errors', () => {
  expect(run(['--version'])).toEqual({ exit: EXIT.OK, out: '1.2.3\n', err: '' });
  const { exit, out } = run(['--help']);
  expect(exit).toBe(EXIT.OK);
  expect(out).toMatch(/^Usage: irqkit/);
});
