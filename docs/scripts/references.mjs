// The references of the two JavaScript packages, from the declarations that they publish.

import { Application } from 'typedoc';

const ROOT = new URL('../../', import.meta.url).pathname;

for (const [folder, entry, name] of [
  ['node', 'bindings-node/dist/types/index.d.ts', 'halfopen'],
  ['browser', 'bindings-wasm/dist/types/index.d.ts', 'halfopen-wasm'],
]) {
  const application = await Application.bootstrap({
    name,
    entryPoints: [`${ROOT}${entry}`],
    tsconfig: `${ROOT}docs/scripts/tsconfig.json`,
    readme: 'none',
    // The sources are not published with the pages.
    disableSources: true,
    treatWarningsAsErrors: true,
    validation: { notExported: false },
    logLevel: 'Warn',
  });
  const project = await application.convert();
  if (!project || application.logger.hasErrors() || application.logger.hasWarnings()) {
    process.exit(1);
  }
  await application.generateDocs(project, `${ROOT}target/docs/api/${folder}`);
}
