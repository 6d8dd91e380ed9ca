// SPDX-License-Identifier: Apache-2.0
// Every recorded devicetree through dtc: the original, the rewritten blob and the printed source are one and the same tree.

import { parseFdt, printDts, writeFdt } from '@irqkit/fdt';
import { describeWithShared, describeWithTool, sharedPath } from '@irqkit-test/env';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const CONCURRENCY = 2;

describeWithShared('recorded devicetrees', () => {
  describeWithTool('dtc', 'through dtc', () => {
    test('all 203: dtc -I dtb -O dts -s prints the same text', async () => {
      const names = readdirSync(sharedPath('data', 'dtb'), { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.dtb'),
      );
      const differing: string[] = [];
      const waiting = [...names];
      const work = async (): Promise<void> => {
        for (let name = waiting.pop(); name !== undefined; name = waiting.pop())
          if (!(await isSameForDtc(readFileSync(sharedPath('data', 'dtb', name))))) differing.push(name);
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, work));
      expect(names).toHaveLength(203);
      expect(differing).toEqual([]);
    }, 300_000);
  });
});

async function isSameForDtc(blob: Uint8Array): Promise<boolean> {
  const tree = parseFdt(blob);
  const text = await dtc('dtb', 'dts', blob);
  const rewritten = await dtc('dtb', 'dts', writeFdt(tree));
  const printed = await dtc('dtb', 'dts', await dtc('dts', 'dtb', printDts(tree)));
  return text.length > 0 && text.equals(rewritten) && text.equals(printed);
}

function dtc(from: string, to: string, input: string | Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('dtc', ['-q', '-s', '-I', from, '-O', to, '-o', '-', '-'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(Buffer.concat(chunks)) : reject(new Error(`dtc ended with ${code}`)),
    );
    child.stdin.end(input);
  });
}
