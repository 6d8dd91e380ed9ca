// SPDX-License-Identifier: Apache-2.0
// Nothing writes to tsyringe's global container: decorators that do so at import are out, and `container` itself is
// there only to make children of.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { filesUnder, isSource } from '../workspace/files.mjs';
import { readPackages } from '../workspace/packages.mjs';

const banned = ['autoInjectable', 'registry', 'scoped', 'singleton'];
const sources = ['tsyringe', '@irqkit/core'];

export function check(root) {
  return readPackages(root).flatMap(({ name, folder }) =>
    filesUnder(join(folder, 'src'), isSource).flatMap((file) =>
      violations(readFileSync(join(folder, 'src', file), 'utf8')).map((what) => `${name}/src/${file}: ${what}`),
    ),
  );
}

function violations(text) {
  const file = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true);
  const found = [];
  const containers = new Set();
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier && sources.includes(node.moduleSpecifier.text))
        found.push(...moduleNames(node, containers));
    } else if (ts.isIdentifier(node) && containers.has(node.text) && !isAllowedUse(node)) {
      found.push(`the global container is used other than for createChildContainer()`);
    } else if (ts.isCallExpression(node) && isTokenInjectable(node)) {
      found.push('@injectable({ token }) registers globally');
    }
    if (!ts.isImportDeclaration(node)) ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function moduleNames(node, containers) {
  const from = node.moduleSpecifier.text;
  const bindings = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
  if (!bindings || !('elements' in bindings)) return from === 'tsyringe' ? ['names what it takes from tsyringe'] : [];
  const names = bindings.elements.map((element) => (element.propertyName ?? element.name).text);
  const found = names.filter((name) => banned.includes(name)).map((name) => `takes ${name} from ${from}`);
  const container = bindings.elements.find((element) => (element.propertyName ?? element.name).text === 'container');
  if (container && from === 'tsyringe') {
    if (ts.isExportDeclaration(node)) found.push('exports the global container');
    else containers.add(container.name.text);
  }
  return found;
}

function isAllowedUse({ parent }) {
  return ts.isPropertyAccessExpression(parent) && parent.name.text === 'createChildContainer';
}

function isTokenInjectable({ expression, arguments: [options] }) {
  if (!ts.isIdentifier(expression) || expression.text !== 'injectable') return false;
  return Boolean(
    options && ts.isObjectLiteralExpression(options) && options.properties.some((p) => p.name?.text === 'token'),
  );
}
