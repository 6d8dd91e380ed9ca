// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

it.each(['readme-example.test.ts', 'readme-iommu-example.test.ts'])("the README's example %#: it is %s", (file) => {
  const readme = readFileSync(join(__dirname, '../README.md'), 'utf8');
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, example]) => example);
  const [, code] = readFileSync(join(__dirname, file), 'utf8').split(/^\/\/ SPDX.*\n/);
  expect(examples).toContain(code);
});
