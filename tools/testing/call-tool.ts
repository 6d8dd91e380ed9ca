// SPDX-License-Identifier: Apache-2.0
// Calls an exported function of a tool in a Node of its own, as the tool really runs, over a tree made for the test.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** File contents by path; what is not a string is written as JSON. */
export type Tree = Record<string, unknown>;

/** What `tools/<tool>`'s export called `name` answers for the root of that tree and the arguments. */
export function callTool(tool: string, name: string, tree: Tree, ...args: unknown[]): unknown {
  const root = mkdtempSync(join(tmpdir(), 'irqkit-tools-'));
  try {
    for (const [path, content] of Object.entries(tree)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
    }
    const url = new URL(`../${tool}`, import.meta.url).href;
    const script = `
      import { ${name} } from ${JSON.stringify(url)};
      const answer = await ${name}(...${JSON.stringify([root, ...args])});
      process.stdout.write('\\n' + JSON.stringify(answer));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    return JSON.parse(output.slice(output.lastIndexOf('\n')));
  } finally {
    rmSync(root, { recursive: true });
  }
}

export function findings(check: string, tree: Tree): unknown {
  return callTool(`check/${check}.mjs`, 'check', tree);
}
