// The command line as a whole: which commands there are, and how their help and their errors look. A command is one
// file that exports `command()`; only the file of the command that was chosen is loaded, because loading takes longer
// than anything else at the start. The others are known by name, for the help and for "did you mean".

import { Command, CommanderError, Help } from 'commander'
import { SealwireError } from '../protocol/errors.ts'
import { exitCodesHelp } from './report.ts'
import { wrapHelp } from './terminal/wrap-help.ts'
import { version } from './version.ts'

/** What the file of a command exports: a commander command with its arguments, options, examples and action. */
export interface CommandModule {
  command(): Command
}

interface CommandRow {
  readonly summary: string
  readonly load: () => Promise<CommandModule>
}

export const commands: Readonly<Record<string, CommandRow>> = {
  serve: { summary: 'run a server', load: () => import('./serve.ts') },
  join: { summary: 'join a server with an invite link', load: () => import('./join.ts') },
  chat: { summary: 'talk to somebody', load: () => import('./chat.ts') },
  send: { summary: 'send one message', load: () => import('./send.ts') },
  inbox: { summary: 'print what is new', load: () => import('./inbox.ts') },
  history: { summary: 'print what was said', load: () => import('./history.ts') },
  search: { summary: 'find messages by their words', load: () => import('./search.ts') },
  retain: { summary: 'tell, or change, how long what was said stays', load: () => import('./retain.ts') },
  contacts: { summary: 'list contacts and requests, or answer one', load: () => import('./contacts.ts') },
  rooms: { summary: 'list, make and join rooms', load: () => import('./rooms.ts') },
  file: { summary: 'send a file, or save one', load: () => import('./file.ts') },
  pay: { summary: 'pay somebody', load: () => import('./pay.ts') },
  split: { summary: 'pay several at once, all or nobody', load: () => import('./split.ts') },
  request: { summary: 'ask somebody to pay', load: () => import('./request.ts') },
  requests: { summary: 'list requests to pay', load: () => import('./requests.ts') },
  hold: { summary: 'put money aside for somebody', load: () => import('./hold.ts') },
  holds: { summary: 'list what is put aside', load: () => import('./holds.ts') },
  capture: { summary: 'take what was put aside for you', load: () => import('./capture.ts') },
  void: { summary: 'let what was put aside go back', load: () => import('./void.ts') },
  refund: { summary: 'pay back what you were paid', load: () => import('./refund.ts') },
  balance: { summary: 'tell what you have', load: () => import('./balance.ts') },
  statement: { summary: 'print what moved', load: () => import('./statement.ts') },
  receipt: { summary: 'write the receipt of a transfer', load: () => import('./receipt.ts') },
  status: { summary: 'tell who you are and what waits', load: () => import('./status.ts') },
  who: { summary: 'list who is here', load: () => import('./who.ts') },
  passwd: { summary: 'set the password of your account', load: () => import('./passwd.ts') },
  visibility: { summary: 'tell, or change, who sees you', load: () => import('./visibility.ts') },
  devices: { summary: 'list the devices of your account, add or revoke one', load: () => import('./devices.ts') },
  invite: { summary: 'make an invitation to a server', load: () => import('./invite.ts') },
  audit: { summary: 'prove that the ledger is still the one that was seen', load: () => import('./audit.ts') },
  verify: { summary: 'verify a receipt, without a server', load: () => import('./verify.ts') },
  admin: { summary: 'look after the accounts of a server', load: () => import('./admin.ts') },
  ledger: { summary: 'export or verify the ledger of a server', load: () => import('./ledger.ts') },
  backup: { summary: 'back up a server, or verify a backup', load: () => import('./backup.ts') },
  restore: { summary: 'make a server from its backup', load: () => import('./restore.ts') },
  cert: { summary: 'look after the certificate of a server', load: () => import('./cert.ts') },
  fingerprint: { summary: 'print the fingerprint of a server', load: () => import('./fingerprint.ts') },
  doctor: { summary: 'say what is wrong with a connection or a server', load: () => import('./doctor.ts') },
  bench: { summary: 'measure a server that runs', load: () => import('./bench.ts') },
  'echo-server': { summary: 'run a TLS server that sends back what it is sent', load: () => import('./echo-server.ts') },
  echo: { summary: 'talk to an echo server', load: () => import('./echo.ts') },
  agent: { summary: 'try out the sealed channel of a server', load: () => import('./agent.ts') },
}

/**
 * Runs the command that `args` say, to its end.
 * @throws {SealwireError} `usage` for what is no command line, and whatever the command throws.
 */
export async function run(args: readonly string[]): Promise<void> {
  const others = args.filter((word) => !helpWords.has(word))
  const chosen = chosenName(others)
  const program = await makeProgram(chosen)
  try {
    await program.parseAsync(wordsToParse(args, others, chosen), { from: 'user' })
  } catch (reason) {
    if (!(reason instanceof CommanderError)) throw reason
    if (!ends.has(reason.code)) throw usageError(reason, calledNames(program, others, chosen))
  }
}

/** The program with one command loaded and the others as names. */
export async function makeProgram(chosen: string | undefined): Promise<Command> {
  const program = new Command('sealwire')
    .description('Private messages and payments between people and programs, on a server of your own.')
    .usage('COMMAND [OPTIONS]')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', examples)
    .addHelpText('after', exitCodesHelp())
    .exitOverride()
    // An error is thrown, and told in one line by whoever catches it; commander says nothing of it by itself.
    .configureOutput({ writeOut, writeErr() {}, outputError() {} })
    .configureHelp({ commandUsage })
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = name === chosen ? (await load()).command().addHelpText('after', exitCodesHelp()) : new Command(name)
    program.addCommand(command.summary(summary).copyInheritedSettings(program))
    inherit(command, program)
  }
  return program
}

/** Commands of commands too. */
function inherit(command: Command, program: Command): void {
  for (const part of command.commands) inherit(part.copyInheritedSettings(program), program)
}

/** commander takes a help of a command that does not exist for a success, so there only what is wrong is left to it. */
function wordsToParse(args: readonly string[], others: readonly string[], chosen: string | undefined): readonly string[] {
  if (others.length === 0) return ['--help']
  return chosen === undefined ? others : args
}

/** The root takes no flag with a value, so the first word that is no flag is the command. */
function chosenName(words: readonly string[]): string | undefined {
  const name = words.find((word) => !word.startsWith('-'))
  return name !== undefined && Object.hasOwn(commands, name) ? name : undefined
}

/** `admin unit list`: the command that was chosen, and the ones of it that the words name, in their order. */
function calledNames(program: Command, words: readonly string[], chosen: string | undefined): string | undefined {
  if (chosen === undefined) return undefined
  const names: string[] = []
  let deepest: Command = program
  for (const word of words.slice(words.indexOf(chosen))) {
    const called = deepest.commands.find((one) => one.name() === word)
    if (called === undefined) continue
    names.push(word)
    deepest = called
  }
  return names.join(' ')
}

/** Commands of commands leave the line to commander, which writes it another way than we do. */
function commandUsage(command: Command): string {
  return new Help()
    .commandUsage(command)
    .replace('[options]', '[OPTIONS]')
    .replaceAll(/<([^<>]+)>/g, '$1')
}

/** commander's error as ours: `error: unknown option '--dta'\n(Did you mean --data?)` is a sentence and a hint. */
function usageError(error: CommanderError, called: string | undefined): SealwireError {
  const [, what = error.message, near] = /^(?:error: )?(.*?)(?:\n\((Did you mean .*)\))?$/s.exec(error.message) ?? []
  const sentence = what.replace(/\.$/, '').replace('. Expected', ', expected').replace('. Allowed', ', allowed')
  const help = called === undefined ? 'sealwire --help shows the commands' : `sealwire ${called} --help shows what it takes`
  return new SealwireError('usage', sentence, { hint: near?.replace(/^D/, 'd') ?? help, cause: error })
}

/** Whoever reads a help may stop (`sealwire --help | head -1`); that is no failure of ours. */
function writeOut(text: string): void {
  process.stdout.on('error', () => {})
  process.stdout.write(wrapHelp(text, Math.min(process.stdout.columns || columnsUsual, columnsMax)))
}

/** What a help is written for where it goes to no terminal, and what reads well on a wide one. */
const [columnsUsual, columnsMax] = [80, 100]
const helpWords: ReadonlySet<string> = new Set(['help', '-h', '--help'])

/** What commander throws when it has printed what was asked for. */
const ends: ReadonlySet<string> = new Set(['commander.help', 'commander.helpDisplayed', 'commander.version'])

const examples = `
Examples:
  sealwire serve                          a server on 127.0.0.1:5555, its data in ./sealwire-data
  sealwire join 'sealwire://…' --name me  an account, with the link that it printed
  sealwire chat bob                       talk with bob
  sealwire serve --classic 6000           the same on port 6000, for classic clients too
  sealwire help serve                     all that can be said to it`
