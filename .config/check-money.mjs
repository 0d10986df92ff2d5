// No float touches money. Fails on ways to make floats of texts, and on arithmetic with anything that is declared as
// money: that is done by the functions of src/domain/money.ts (and of the simulators' decimals and units) alone.
// Usage: node .config/check-money.mjs [folder …]   (default: src)
import { globSync, readFileSync } from 'node:fs';
import { parseSync } from '@swc/core';

const folders = process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['src'];
const files = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`)).filter((file) => !file.endsWith('.d.ts'));

/** The files that do the arithmetic, on bigints. */
const ARITHMETIC_FILES = [
  'src/domain/money.ts',
  'src/simulators/quickbooks/decimal.ts',
  'src/simulators/stripe/units.ts',
];

const FLOAT_CALLS = new Set(['Number', 'parseFloat', 'parseInt']);
const FLOAT_METHODS = new Set(['toFixed', 'toPrecision', 'toExponential', 'parseFloat', 'parseInt']);
const ARITHMETIC = new Set(['+', '-', '*', '/', '%', '**', '+=', '-=', '*=', '/=', '%=', '**=', '++', '--']);

/** Types that say "this is money" where a name is declared. */
const MONEY_TYPES = new Set(['MinorUnits']);

/** A statement at the very beginning: swc's positions count from the first token, not from the beginning of the file. */
const FIRST_LINE = '0;\n';

const modules = files.map((file) => ({ file, source: readFileSync(file, 'utf8') }));
for (const module of modules) {
  module.ast = parseSync(FIRST_LINE + module.source, { syntax: 'typescript', decorators: true, target: 'esnext' });
}

const moneyNames = new Set();
const moneyFunctions = new Set();
for (const { file, ast } of modules) visit(ast, isArithmeticFile(file) ? collectFunction : collectDeclaration);

const findings = modules.flatMap(({ file, source, ast }) => {
  const found = [];
  const report = (node, message) => found.push(`${file}:${lineOf(source, ast, node)}  ${message}`);
  visit(ast, (node) => checkFloats(node, report));
  if (!isArithmeticFile(file)) visit(ast, (node) => checkArithmetic(node, report));
  return found;
});

for (const finding of findings) console.error(finding);
if (findings.length > 0) process.exitCode = 1;
else console.log(`no float and no bare arithmetic on money in ${files.length} files (${moneyNames.size} money names)`);

function isArithmeticFile(file) {
  return ARITHMETIC_FILES.some((name) => file.endsWith(name));
}

function collectDeclaration(node) {
  if (isMoneyType(node.typeAnnotation)) moneyNames.add(nameOf(node.key ?? node));
  if (node.type === 'Parameter' && isMoneyType(node.pat?.typeAnnotation)) moneyNames.add(nameOf(node.pat));
  collectFunction(node);
}

function collectFunction(node) {
  if (node.type === 'FunctionDeclaration' && isMoneyType(node.returnType)) moneyFunctions.add(nameOf(node.identifier));
}

function isMoneyType(annotation) {
  const type = annotation?.typeAnnotation;
  return type?.type === 'TsTypeReference' && MONEY_TYPES.has(type.typeName.value);
}

function checkFloats(node, report) {
  if (node.type === 'CallExpression') {
    const { callee } = node;
    if (callee.type === 'Identifier' && FLOAT_CALLS.has(callee.value))
      report(callee, `${callee.value}() makes a float`);
    if (callee.type === 'MemberExpression' && FLOAT_METHODS.has(callee.property.value)) {
      report(callee.property, `.${callee.property.value}() makes or prints a float`);
    }
  }
  if (node.type === 'UnaryExpression' && node.operator === '+') report(node, 'unary + makes a float');
}

function checkArithmetic(node, report) {
  if (!ARITHMETIC.has(node.operator)) return;
  const operands = [node.left, node.right, node.argument].filter(Boolean);
  const money = operands.find(isMoney);
  if (money) report(node, `"${node.operator}" on money: use a function of src/domain/money.ts`);
}

function isMoney(node) {
  if (node.type === 'ParenthesisExpression') return isMoney(node.expression);
  if (node.type === 'CallExpression') return moneyFunctions.has(nameOf(node.callee));
  const name = node.type === 'MemberExpression' ? nameOf(node.property) : nameOf(node);
  return name !== undefined && (moneyNames.has(name) || name.endsWith('Minor'));
}

function nameOf(node) {
  return typeof node?.value === 'string' ? node.value : undefined;
}

function visit(node, callback) {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, callback);
  } else if (node && typeof node === 'object') {
    if (typeof node.type === 'string') callback(node);
    for (const value of Object.values(node)) visit(value, callback);
  }
}

/** swc counts bytes over all files it has parsed. */
function lineOf(source, ast, node) {
  const before = Buffer.from(FIRST_LINE + source).subarray(0, node.span.start - ast.span.start);
  return before.toString().split('\n').length - 1;
}
