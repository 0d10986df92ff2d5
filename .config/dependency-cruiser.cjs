// Which way things point (docs/architecture.md). Checked by `npm run check:deps`.
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle means two files are one.',
      from: { pathNot: LINE_ITEM_AND_ORDER() },
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Nobody imports it: dead code.',
      from: { orphan: true, pathNot: ENTRIES() },
      to: {},
    },
    {
      name: 'domain-knows-nobody',
      severity: 'error',
      comment: 'The domain is plain TypeScript with ORM mapping.',
      from: { path: '^src/domain' },
      to: { path: '^src', pathNot: '^src/domain' },
    },
    {
      name: 'domain-libraries',
      severity: 'error',
      comment: 'No GraphQL, HTTP or SDK in the domain.',
      from: { path: '^src/domain' },
      to: { dependencyTypes: ['npm'], pathNot: 'node_modules/(@mikro-orm/(core|decorators)|currency-codes|uuid)/' },
    },
    {
      name: 'application-knows-domain-and-ports',
      severity: 'error',
      comment: 'Use cases get everything else through their ports.',
      from: { path: '^src/application' },
      to: { path: '^src', pathNot: '^src/(application|domain)' },
    },
    {
      name: 'application-libraries',
      severity: 'error',
      comment: 'The EntityManager is the persistence port; zod reads input.',
      from: { path: '^src/application' },
      to: { dependencyTypes: ['npm'], pathNot: 'node_modules/(@mikro-orm/(core|postgresql)|zod)/' },
    },
    {
      name: 'infrastructure-implements-ports',
      severity: 'error',
      from: { path: '^src/infrastructure' },
      to: { path: '^src', pathNot: '^src/(infrastructure|application|domain|config\\.ts)' },
    },
    {
      name: 'adapters-do-not-know-each-other',
      severity: 'error',
      comment: 'What is true of every provider on the network is shared; what one of them says is not.',
      from: { path: '^src/infrastructure/(quickbooks|stripe)/' },
      to: {
        path: '^src/infrastructure',
        pathNot: '^src/infrastructure/($1/|(network-error|text|webhook-payload)\\.ts$)',
      },
    },
    {
      name: 'quickbooks-stays-behind-its-port',
      severity: 'error',
      comment: 'Only the wiring puts the adapter in.',
      from: { path: '^src', pathNot: '^src/(wiring|infrastructure/quickbooks)' },
      to: { path: '^src/infrastructure/quickbooks' },
    },
    {
      name: 'stripe-stays-behind-its-port',
      severity: 'error',
      comment: 'Only the wiring puts the adapter in.',
      from: { path: '^src', pathNot: '^src/(wiring|infrastructure/stripe)' },
      to: { path: '^src/infrastructure/stripe' },
    },
    {
      name: 'stripe-sdk-stays-in-its-adapter',
      severity: 'error',
      comment: 'Nobody else knows a type of the SDK, the simulator least of all.',
      from: { path: '^src', pathNot: '^src/infrastructure/stripe' },
      to: { path: 'node_modules/stripe/' },
    },
    {
      name: 'api-knows-application-and-domain',
      severity: 'error',
      from: { path: '^src/api' },
      to: { path: '^src', pathNot: '^src/(api|application|domain)' },
    },
    {
      name: 'simulators-stand-alone',
      severity: 'error',
      comment: 'A simulator shares no code with the adapter it faces: they meet on HTTP.',
      from: { path: '^src/simulators' },
      to: { path: '^src', pathNot: '^src/simulators' },
    },
    {
      name: 'simulators-are-for-development',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/(wiring|simulate\\.ts|development|simulators)' },
      to: { path: '^src/simulators' },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['unknown', 'undetermined', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-development-packages-at-run-time',
      severity: 'error',
      from: { path: '^src' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
};

/** An order has its lines and a line its order; both decorators need the other class, lazily. */
function LINE_ITEM_AND_ORDER() {
  return '^src/domain/purchase-order/(line-item|purchase-order)\\.entity\\.ts$';
}

/** Started by npm scripts, or read by the compiler alone. */
function ENTRIES() {
  return '^src/(main|demo|simulate|verify-audit|json-source-text\\.d|infrastructure/documents/fontkit\\.d)\\.ts$|emit-schema\\.ts$|check-migrations\\.ts$';
}
