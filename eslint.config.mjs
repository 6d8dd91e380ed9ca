// SPDX-License-Identifier: Apache-2.0
// What the compiler lets through and the house does not. Layout is prettier's business.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const house = [
  { selector: 'TSEnumDeclaration', message: 'Values are const objects beside the layout.' },
  { selector: 'ExportDefaultDeclaration', message: 'One name for one thing: no default exports.' },
  {
    // Metadata is not emitted, so a parameter without a token resolves to nothing at run time.
    selector:
      'ClassDeclaration:has(> Decorator[expression.callee.name="injectable"])' +
      ' > ClassBody > MethodDefinition[kind="constructor"] > FunctionExpression' +
      ' > .params:not(:has(> Decorator[expression.callee.name=/^inject/]))',
    message: 'Every parameter of an injectable class takes its value by token: @inject(TOKEN).',
  },
];

const noBigInt = [
  'Literal[bigint]',
  'TSBigIntKeyword',
  'Identifier[name=/^(BigInt|BigInt64Array|BigUint64Array|[gs]etBig(Int|Uint)64)$/]',
].map((selector) => ({ selector, message: 'BigInt only in parsers, ABI codecs and tests: it costs 20-43 times.' }));

const parsersAndCodecs = ['packages/fdt/src/**', 'packages/acpi/src/**', 'packages/vfio-type1/src/abi/**'];
const ambient = 'Buffer URL console performance process';
const tests = ['packages/*/test/**', 'test-e2e/**', 'tools/**'];

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: ['tsconfig.test.json'], tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-syntax': ['error', ...house, ...noBigInt],
    },
  },
  { files: [...parsersAndCodecs, ...tests], rules: { 'no-restricted-syntax': ['error', ...house] } },
  { files: ['**/*.d.ts'], extends: [tseslint.configs.disableTypeChecked] },
  { files: ['**/*.test.ts'], rules: { '@typescript-eslint/unbound-method': 'off' } },
  {
    files: ['**/*.mjs'],
    extends: [js.configs.recommended],
    languageOptions: { globals: Object.fromEntries(ambient.split(' ').map((name) => [name, 'readonly'])) },
    rules: { 'no-restricted-syntax': ['error', ...house] },
  },
  // Jest and eslint read their configuration from a default export.
  { files: ['*.config.mjs'], rules: { 'no-restricted-syntax': 'off' } },
);
