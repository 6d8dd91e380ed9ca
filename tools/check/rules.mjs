// SPDX-License-Identifier: Apache-2.0
// Which of the requirements R1..R25 have tests: a rule is done when a test carries its id in the title. Prints the table;
// fails on an id that does not exist.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { filesUnder } from '../workspace/files.mjs';
import { packageFolders } from '../workspace/packages.mjs';

const rules = Array.from({ length: 25 }, (_, index) => `R${index + 1}`);

export function check(root) {
  const titles = testTitles(root);
  const mentions = titles.flatMap(({ title, file }) => [...title.matchAll(/\bR\d+\b/g)].map(([id]) => ({ id, file })));
  for (const rule of rules) {
    const files = mentions.filter(({ id }) => id === rule).map(({ file }) => file);
    console.log(
      `       ${rule.padEnd(4)} ${String(files.length).padStart(3)}  ${[...new Set(files)].join(' ') || '-'}`,
    );
  }
  return mentions.filter(({ id }) => !rules.includes(id)).map(({ id, file }) => `${file}: there is no rule ${id}`);
}

function testTitles(root) {
  const folders = [...packageFolders(root).map((folder) => join(folder, 'test')), join(root, 'test-e2e')];
  return folders
    .flatMap((folder) => filesUnder(folder, (file) => file.endsWith('.test.ts')).map((file) => join(folder, file)))
    .flatMap((file) =>
      titlesIn(readFileSync(file, 'utf8')).map((title) => ({ title, file: file.slice(root.length + 1) })),
    );
}

/** The first string of every it(…), test(…), describe…(…), with .each and the like in between. */
function titlesIn(text) {
  const titles = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && /^(it|test|describe)/.test(node.expression.getText())) {
      titles.push(...node.arguments.filter(isText).map((title) => title.getText()));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('test.ts', text, ts.ScriptTarget.Latest, true));
  return titles;
}

const isText = (node) => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
