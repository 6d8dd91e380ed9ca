// SPDX-License-Identifier: Apache-2.0
// A README has five parts: one sentence, Install, Usage, API, Unsupported; nothing stands before the example but these.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { headings } from '../workspace/markdown.mjs';
import { readPackages } from '../workspace/packages.mjs';

const parts = ['Install', 'Usage', 'API', 'Unsupported'];

export function check(root) {
  return readPackages(root).flatMap(({ name, folder, manifest }) => {
    const readme = join(folder, 'README.md');
    if (!existsSync(readme)) return [`${name}/README.md: is missing`];
    const text = readFileSync(readme, 'utf8');
    const [title, ...opening] = text
      .split(/^## /m)[0]
      .split('\n')
      .filter((line) => line.trim());
    return [
      ...(title === `# ${manifest.name}` ? [] : [`${name}/README.md: does not begin with "# ${manifest.name}"`]),
      ...(/^[^.]+\.$/s.test(withoutDots(opening)) ? [] : [`${name}/README.md: what it is takes one sentence`]),
      ...(headings(text).join() === parts.join() ? [] : [`${name}/README.md: its parts are not ${parts.join(', ')}`]),
    ];
  });
}

/** Dots inside words and code (`npm.js`, `0.1`) end no sentence. */
const withoutDots = (lines) =>
  lines
    .join(' ')
    .replace(/`[^`]*`/g, '')
    .replace(/\.(?=\S)/g, '')
    .trim();
