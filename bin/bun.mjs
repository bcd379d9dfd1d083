// Any Bun command with the pinned Bun, for the scripts of package.json: node bin/bun.mjs test

import { launch } from './launch.mjs'

launch(process.argv.slice(2))
