// Plain old syntax on purpose: this file is what an outdated Node runs, and it must be able to read it.
var major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    'conference-invoicing needs Node 24 or newer, but this is Node ' +
      process.versions.node +
      '. Run "npm ci" (without --omit=optional): it installs a private copy of Node 24 on Linux and Windows.',
  );
  process.exit(1);
}
