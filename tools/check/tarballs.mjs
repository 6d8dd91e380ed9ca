// SPDX-License-Identifier: Apache-2.0
// What would be published is what publint and "are the types wrong" accept, seen through `npm pack`; a LICENSE is in it.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { root as here } from '../workspace/root.mjs';

const run = promisify(execFile);
const attwCli = join(here, 'node_modules/@arethetypeswrong/cli/dist/index.js');

export async function check(root) {
  const folder = mkdtempSync(join(tmpdir(), 'irqkit-pack-'));
  try {
    const args = ['pack', '--workspaces', '--ignore-scripts', '--json', '--pack-destination', folder];
    const { stdout } = await run('npm', args, { cwd: root });
    const found = await Promise.all(JSON.parse(stdout).map((packed) => examine(packed, join(folder, packed.filename))));
    return found.flat();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function examine({ name, files }, tarball) {
  const licence = files.some(({ path }) => path === 'LICENSE') ? [] : ['has no LICENSE'];
  const found = [...licence, ...(await publintSays(tarball)), ...(await attwSays(tarball))];
  return found.map((what) => `${name}: ${what}`);
}

async function publintSays(tarball) {
  const bytes = new Uint8Array(readFileSync(tarball));
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function attwSays(tarball) {
  const args = [attwCli, tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-color', '--no-emoji'];
  return run(process.execPath, args).then(
    () => [],
    ({ stdout, stderr }) => [`attw: ${stdout}${stderr}`],
  );
}
