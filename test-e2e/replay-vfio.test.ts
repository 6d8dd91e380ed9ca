// SPDX-License-Identifier: Apache-2.0
// What a real kernel answered to VFIO calls against our VFIO on our models, by the built command line. What must be compared is
// counted here from the raw file, by nothing of ours.

import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { readJsonLines } from './support/fixtures.js';
import { irqkit } from './support/irqkit.js';

interface Line {
  readonly n?: number;
  readonly call?: string;
  readonly scenario: string;
  readonly ret?: number;
}

interface Report {
  readonly agrees: boolean;
  readonly kinds: readonly { kind: string; compared: number; agreed: number }[];
  readonly given: readonly { what: string; count: number }[];
  readonly excluded: readonly { scenario: string; call: string; n: number; line: number; reason: string }[];
  readonly firstDisagreement?: { readonly line: number; readonly kind: string; readonly n: number };
}

const recording = (): string => sharedPath('data', 'vfio', 'A.jsonl');
const bootDir = (): string => sharedPath('data', 'boots', 'A');

function replay(...args: readonly string[]): { readonly status: number | null; readonly report: Report } {
  const { status, stdout } = irqkit('replay', ...args, '--json');
  return { status, report: JSON.parse(stdout) as Report };
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

describeWithShared('the VFIO recording of boot A', () => {
  let lines: readonly Line[];
  let result: ReturnType<typeof replay>;

  beforeAll(() => {
    lines = readJsonLines<Line>(recording());
    result = replay(recording());
  });

  test('R21: every ioctl agrees in result, errno and output', () => {
    const isIoctl = ({ call = '' }: Line): boolean => call.startsWith('VFIO_') || call === 'ioctl-unknown';
    const ioctls = lines.filter(isIoctl).length;
    expect(lines.filter(({ call }) => call?.startsWith('VFIO_')).length).toBe(750);
    const kind = result.report.kinds.find((one) => one.kind === 'ioctls')!;
    expect(kind).toMatchObject({ compared: ioctls, agreed: ioctls });
  });

  test('every other numbered record agrees, or is on the list of those excluded', () => {
    expect(result.status).toBe(0);
    expect(result.report.firstDisagreement).toBeUndefined();
    const { kinds, excluded } = result.report;
    const numbered = lines.filter(({ n, call }) => n !== undefined && call !== undefined).length;
    const compared = sum(kinds.filter(({ kind }) => kind !== 'shell').map((one) => one.compared));
    expect(compared + excluded.length).toBe(numbered);
    expect(sum(kinds.map(({ agreed }) => agreed))).toBe(sum(kinds.map((one) => one.compared)));
  });

  test('no ioctl is excluded, and every exclusion has a reason', () => {
    const { excluded } = result.report;
    expect(excluded.length).toBeLessThanOrEqual(60);
    for (const { call, line, n, reason } of excluded) {
      expect(call).not.toMatch(/^VFIO_|^ioctl/);
      expect(lines[line - 1]).toMatchObject({ call, n });
      expect(reason).toMatch(/\w+ \w+/);
    }
  });

  test('R14, R16: messages were looked at in the hardware: the doorbell is at the window in every container', () => {
    const readbacks = lines.filter(({ call }) => call === 'hw-readback').length;
    expect(result.report.kinds.find(({ kind }) => kind === 'hw-readback')).toMatchObject({
      compared: readbacks,
      agreed: readbacks,
    });
    expect(readFileSync(recording(), 'utf8')).toContain('"addr":"0x8000040"');
  });

  test('the summary has what was compared, excluded and disagreeing', () => {
    const { status, stdout } = irqkit('replay', recording());
    expect(status).toBe(0);
    expect(stdout).toMatch(/\d+ compared, \d+ excluded, 0 disagreeing/);
  });

  describe('with a copy of the recording', () => {
    let dir: string;
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'irqkit-vfio-'));
    });
    afterEach(() => rmSync(dir, { recursive: true }));

    test.each([
      ['an errno', /"call":"VFIO_SET_IOMMU".*"type":99.*"errname":"ENODEV"/, '"errname":"ENODEV"', '"errname":"EPERM"'],
      ['an output field', /"note":"fresh"/, '"dma_avail":65535', '"dma_avail":65534'],
      ['a result', /"VFIO_IOMMU_MAP_DMA".*"READ only"/, '"ret":0', '"ret":1'],
    ])('%s that was recorded otherwise is found, with its line', (_, line, before, after) => {
      const texts = readFileSync(recording(), 'utf8').split('\n');
      const at = texts.findIndex((text) => line.test(text));
      texts[at] = texts[at].replace(before, after);
      const path = join(dir, 'changed.jsonl');
      writeFileSync(path, texts.join('\n'));
      const { status, report } = replay(path, '--boot', bootDir());
      expect(status).toBe(1);
      expect(report.firstDisagreement).toMatchObject({ kind: 'ioctls', line: at + 1 });
    });

    test('a recording without its boot says where it was looked for', () => {
      const path = join(dir, 'A.jsonl');
      copyFileSync(recording(), path);
      const { status, stderr } = irqkit('replay', path);
      expect(status).toBe(2);
      expect(stderr).toMatch(/boots\/A: no such directory: the boot of the recorded machine/);
    });

    test('a line that is no JSON is named', () => {
      const path = join(dir, 'broken.jsonl');
      writeFileSync(path, `${readFileSync(recording(), 'utf8').split('\n')[0]}\n{"n":\n`);
      const { status, stderr } = irqkit('replay', path, '--boot', bootDir());
      expect(status).toBe(2);
      expect(stderr).toMatch(/broken\.jsonl:2: not JSON/);
    });
  });
});
