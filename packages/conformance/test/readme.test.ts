// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

it("the README's example is the one that runs", () => {
  const readme = readFileSync(join(__dirname, '../README.md'), 'utf8');
  const [, example] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  const [, code] = readFileSync(join(__dirname, 'readme-example.test.ts'), 'utf8').split(/^\/\/ SPDX.*\n/);
  expect(code).toBe(example);
});
