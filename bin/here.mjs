// Goes back to the folder in which the command was called, before anything else runs: sealwire.mjs starts Bun in another one.

const { SEALWIRE_HERE: here } = process.env
// Nobody below has to know of it.
delete process.env.SEALWIRE_HERE
if (here !== undefined) process.chdir(here)
