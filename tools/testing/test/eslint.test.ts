// SPDX-License-Identifier: Apache-2.0
// The house rules of eslint.config.mjs, proven on a text that breaks them; rules that need types are left out for speed.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** `line rule` for each message about that text, taken for the file of that name. */
function lint(filePath: string, text: string): unknown {
  const script = `
    import { ESLint } from 'eslint';
    import tseslint from 'typescript-eslint';
    const eslint = new ESLint({ overrideConfig: tseslint.configs.disableTypeChecked });
    const [{ messages }] = await eslint.lintText(${JSON.stringify(text)}, { filePath: ${JSON.stringify(filePath)} });
    console.log(JSON.stringify(messages.map(({ line, ruleId }) => line + ' ' + ruleId)));`;
  const options = { cwd: root, encoding: 'utf8' } as const;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], options));
}

test('eslint: enums, BigInt, default exports, any, ignored errors, injection without a token', () => {
  const text = `import { inject, injectable } from 'tsyringe';
export enum Mode { A }
export const wide = 1n;
export const x = {} as any;
// @ts-ignore
export const y: number = 1;
@injectable() export class Good { constructor(@inject('X') readonly x: number, @inject('Y') y: number) { void y; } }
@injectable() export class Bad { constructor(@inject('X') readonly x: number, y: Good) { void y; } }
export class Plain { constructor(readonly x: number) {} }
export default 1;
`;
  expect(lint('packages/core/src/index.ts', text)).toEqual([
    '2 no-restricted-syntax',
    '3 no-restricted-syntax',
    '4 @typescript-eslint/no-explicit-any',
    '5 @typescript-eslint/ban-ts-comment',
    '8 no-restricted-syntax',
    '10 no-restricted-syntax',
  ]);
  expect(lint('packages/fdt/src/index.ts', 'export const cells = BigInt(1);\n')).toEqual([]);
});
