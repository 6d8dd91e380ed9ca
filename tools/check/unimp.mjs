// SPDX-License-Identifier: Apache-2.0
// Gaps are told: every `UNIMP: phrase` comment stands in a bullet of the README's Unsupported list, and every bullet has
// such a comment, so that neither outlives the other.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, isSource } from '../workspace/files.mjs';
import { readPackages } from '../workspace/packages.mjs';
import { section } from '../workspace/markdown.mjs';

export function check(root) {
  return readPackages(root).flatMap(({ name, folder }) => {
    const readme = join(folder, 'README.md');
    const bullets = existsSync(readme) ? bulletsOf(section(readFileSync(readme, 'utf8'), 'Unsupported')) : [];
    const gaps = filesUnder(join(folder, 'src'), isSource).flatMap((file) => gapsOf(folder, join('src', file)));
    return [
      ...gaps
        .filter(({ phrase }) => !bullets.some((bullet) => bullet.includes(phrase)))
        .map(({ file, phrase }) => `${name}/${file}: "${phrase}" is in no bullet of the README's Unsupported list`),
      ...bullets
        .filter((bullet) => !gaps.some(({ phrase }) => bullet.includes(phrase)))
        .map((bullet) => `${name}/README.md: Unsupported "${bullet}" has no UNIMP: comment`),
    ];
  });
}

function gapsOf(folder, file) {
  const comments = readFileSync(join(folder, file), 'utf8').matchAll(/(?:\/\/|\*).*?UNIMP: *(.*?) *(?:\*\/)?$/gm);
  return [...comments].map(([, phrase]) => ({ file, phrase: plain(phrase) }));
}

function bulletsOf(text) {
  return [...text.matchAll(/^[-*] +(.*(?:\n +\S.*)*)/gm)].map(([, bullet]) => plain(bullet));
}

const plain = (text) => text.replace(/`/g, '').replace(/\s+/g, ' ').replace(/\.$/, '').trim().toLowerCase();
