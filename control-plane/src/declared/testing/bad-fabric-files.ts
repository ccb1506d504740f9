import { VALID, withLine } from './fabric-texts.js';

const NAME_RULE = 'lower-case letters, digits, ".", "_" and "-", starting with a letter or digit';
/** What is wrong, the file, and what is said about it: line, column, path, message. */
export const badFabricFiles: readonly [what: string, text: string, errors: readonly string[]][] = [
  [
    'an empty file',
    '',
    ['1:1: (the whole file): the file holds nothing; expected "version: 1" and the declared state below it'],
  ],
  [
    'comments alone',
    '# nothing\n# yet\n',
    ['1:1: (the whole file): the file holds nothing; expected "version: 1" and the declared state below it'],
  ],
  ['a list', '- a', ['1:1: (the whole file): expected a mapping (name: value), found a list']],
  ['a text', 'hello', ['1:1: (the whole file): expected a mapping (name: value), found "hello"']],
  ['no version', withLine(1, '# version: 1'), ['1:1: version: missing; expected 1']],
  [
    'a later version, about which nothing else is said',
    'version: 2\nnew-section: {}',
    ['1:10: version: expected 1, found 2'],
  ],
  ['a version in quotes', withLine(1, 'version: "1"'), ['1:10: version: expected 1, found "1"']],
  [
    'an unknown section',
    withLine(15, 'gatway: {}'),
    ['15:1: gatway: unknown key "gatway"; did you mean "gateway"?'],
  ],
  [
    'an unknown section like none',
    withLine(15, 'zebra: {}'),
    [
      '15:1: zebra: unknown key "zebra"; known: version, hosts, deployments, providers, roles, aliases, gateway, backup, checks, tariff',
    ],
  ],
  [
    'a section given twice',
    withLine(15, 'hosts: {}'),
    ['15:1: hosts: "hosts" is given twice here; one of them would be lost'],
  ],
  [
    'a host given twice',
    withLine(4, '  armitage: {}\n  armitage: {}'),
    ['5:3: hosts.armitage: "armitage" is given twice here; one of them would be lost'],
  ],
  [
    'two deployments of one name',
    withLine(
      7,
      '  bge-motoko: { host: motoko, task: embeddings, engine: external, url: http://motoko:8001, servedModel: bge }\n' +
        '  bge-motoko: { host: armitage, task: embeddings, engine: external, url: http://armitage:8001, servedModel: bge }',
    ),
    ['8:3: deployments.bge-motoko: "bge-motoko" is given twice here; one of them would be lost'],
  ],
  [
    'a tab',
    withLine(3, '\tmotoko:'),
    ['3:1: (the whole file): no valid YAML: a tab in the indentation; use spaces'],
  ],
  [
    'an open bracket',
    withLine(15, 'gateway: { extraHosts: [a'),
    [
      '15:26: (the whole file): no valid YAML: the indentation does not fit, or a bracket opened before is not closed',
    ],
  ],
  [
    'two documents',
    `${VALID.join('\n')}\n---\nversion: 1`,
    ['16:1: (the whole file): no valid YAML: a second document ("---"); one file holds one'],
  ],
  [
    'a merge key',
    withLine(3, '  motoko: { <<: { mayBeAway: true } }'),
    ['3:13: hosts.motoko["<<"]: merge keys ("<<") are not read here; write the fields out'],
  ],
  [
    'a reference to nothing',
    withLine(3, '  motoko: *other'),
    ['3:11: hosts.motoko: a "*" reference to a name that no "&" before it gives'],
  ],
  [
    'a value that holds itself',
    withLine(3, '  motoko: &m { mayBeAway: *m }'),
    ['3:27: hosts.motoko.mayBeAway: a "*" reference to a name that no "&" before it gives'],
  ],
  [
    'a tag',
    withLine(3, '  motoko: !!js/function x'),
    ['3:11: (the whole file): no valid YAML: a "!" tag; remove it, or put the value in quotes'],
  ],
  [
    'bytes',
    withLine(
      6,
      '  a: { host: armitage, task: chat, engine: external, url: http://a:1, servedModel: !!binary aGk= }',
    ),
    [
      '6:93: deployments.a.servedModel: expected a plain value, found one with a "!" tag',
      '11:53: roles.chat-fast.targets[0].deployment: unknown deployment "qwen-armitage"; known: a, bge-motoko',
    ],
  ],
  [
    'a list as a name',
    withLine(3, '  ? [a, b]\n  : {}'),
    [
      '3:5: hosts: expected a name before the ":"',
      '8:23: deployments.bge-motoko.host: unknown host "motoko"; known: armitage',
    ],
  ],
  [
    'a name that reaches into objects',
    withLine(3, '  __proto__: { mayBeAway: true }'),
    [
      '3:3: hosts.__proto__: expected a name before the ":"',
      '7:23: deployments.bge-motoko.host: unknown host "motoko"; known: armitage',
    ],
  ],
  [
    'an upper-case host',
    withLine(4, '  Armitage: {}'),
    [
      `4:3: hosts.Armitage: "Armitage" is no valid name; expected ${NAME_RULE}`,
      '6:26: deployments.qwen-armitage.host: unknown host "armitage"; did you mean "Armitage"?',
    ],
  ],
  [
    'YAML 1.1 truth',
    withLine(4, '  armitage: { mayBeAway: yes }'),
    ['4:26: hosts.armitage.mayBeAway: expected true or false, found "yes"'],
  ],
  [
    'an unknown field',
    withLine(4, '  armitage: { may_be_awy: true }'),
    ['4:15: hosts.armitage.may_be_awy: unknown key "may_be_awy"; did you mean "mayBeAway"?'],
  ],
  [
    'a misspelt host',
    withLine(
      6,
      '  qwen-armitage: { host: armitge, task: chat, engine: external, url: http://a:1, servedModel: q }',
    ),
    ['6:26: deployments.qwen-armitage.host: unknown host "armitge"; did you mean "armitage"?'],
  ],
  [
    'fields missing',
    withLine(6, '  qwen-armitage: { host: armitage, task: chat, engine: external }'),
    [
      '6:3: deployments.qwen-armitage.url: missing; expected text',
      '6:3: deployments.qwen-armitage.servedModel: missing; expected text',
    ],
  ],
  [
    'a misspelt task',
    withLine(
      6,
      '  qwen-armitage: { host: armitage, task: chta, engine: external, url: http://a:1, servedModel: q }',
    ),
    [
      '6:42: deployments.qwen-armitage.task: expected chat or embeddings or transcription or rerank (did you mean "chat"?), found "chta"',
    ],
  ],
  [
    'an unknown engine',
    withLine(
      6,
      '  qwen-armitage: { host: armitage, task: chat, engine: vlm, url: http://a:1, servedModel: q }',
    ),
    ['6:56: deployments.qwen-armitage.engine: expected external or vllm (did you mean "vllm"?), found "vlm"'],
  ],
  [
    'no engine',
    withLine(6, '  qwen-armitage: { host: armitage, task: chat, url: http://a:1, servedModel: q }'),
    ['6:3: deployments.qwen-armitage.engine: missing; expected external or vllm'],
  ],
  [
    'impossible numbers',
    withLine(
      6,
      '  qwen-armitage: { host: armitage, task: chat, engine: external, url: http://a:1, servedModel: q, maxConcurrent: 0, contextTokens: 1.5 }',
    ),
    [
      '6:114: deployments.qwen-armitage.maxConcurrent: expected at least 1, found 0',
      '6:132: deployments.qwen-armitage.contextTokens: expected a whole number, found 1.5',
    ],
  ],
  [
    'an infinite number',
    withLine(
      6,
      '  qwen-armitage: { host: armitage, task: chat, engine: external, url: http://a:1, servedModel: q, maxConcurrent: .inf }',
    ),
    ['6:114: deployments.qwen-armitage.maxConcurrent: expected a number, found Infinity'],
  ],
  [
    'an engine address with /v1',
    withLine(
      6,
      '  qwen-armitage: { host: armitage, task: chat, engine: external, url: http://a:1/v1/, servedModel: q }',
    ),
    [
      '6:71: deployments.qwen-armitage.url: expected the address of the engine without /v1, such as http://armitage:8000',
    ],
  ],
  [
    'an address of another kind',
    withLine(
      6,
      '  qwen-armitage: { host: armitage, task: chat, engine: external, url: armitage:8000, servedModel: q }',
    ),
    ['6:71: deployments.qwen-armitage.url: expected an address such as http://armitage:8000'],
  ],
  [
    'a role without targets',
    withLine(12, '  embed: { task: embeddings, targets: [] }'),
    ['12:39: roles.embed.targets: expected at least one entry, found an empty list'],
  ],
  [
    'a target that is just a name',
    withLine(12, '  embed: { task: embeddings, targets: [ bge-motoko ] }'),
    [
      '12:41: roles.embed.targets[0]: expected { deployment: NAME } or { provider: NAME, model: NAME }, found "bge-motoko"',
    ],
  ],
  [
    'a target that is both',
    withLine(11, '  chat-fast: { task: chat, targets: [ { deployment: qwen-armitage, provider: openai } ] }'),
    [
      '11:68: roles.chat-fast.targets[0].provider: "provider" does not go with the other keys here; expected { deployment: NAME } or { provider: NAME, model: NAME }',
    ],
  ],
  [
    'half a target',
    withLine(11, '  chat-fast: { task: chat, targets: [ { provider: openai } ] }'),
    ['11:39: roles.chat-fast.targets[0].model: missing; expected text'],
  ],
  [
    'a misspelt deployment',
    withLine(
      11,
      '  chat-fast: { task: chat, targets: [ { provider: openai, model: cheap }, { deployment: qwen-armitag } ] }',
    ),
    [
      '11:89: roles.chat-fast.targets[1].deployment: unknown deployment "qwen-armitag"; did you mean "qwen-armitage"?',
    ],
  ],
  [
    'a misspelt model of a provider',
    withLine(11, '  chat-fast: { task: chat, targets: [ { provider: openai, model: chaep } ] }'),
    [
      '11:66: roles.chat-fast.targets[0].model: unknown model "chaep" of provider "openai"; did you mean "cheap"?',
    ],
  ],
  [
    'an unknown provider',
    withLine(11, '  chat-fast: { task: chat, targets: [ { provider: zebra, model: cheap } ] }'),
    ['11:51: roles.chat-fast.targets[0].provider: unknown provider "zebra"; known: openai'],
  ],
  [
    'a role as a target',
    withLine(12, '  embed: { task: chat, targets: [ { deployment: chat-fast } ] }'),
    [
      '12:49: roles.embed.targets[0].deployment: unknown deployment "chat-fast"; that is a role, and a role cannot be a target',
    ],
  ],
  [
    'a role that targets itself',
    withLine(11, '  chat-fast: { task: chat, targets: [ { deployment: chat-fast } ] }'),
    [
      '11:53: roles.chat-fast.targets[0].deployment: unknown deployment "chat-fast"; that is the role itself, and a role cannot be a target',
    ],
  ],
  [
    'a role that targets itself through an alias',
    withLine(11, '  chat-fast: { task: chat, targets: [ { deployment: local/chat } ] }'),
    [
      '11:53: roles.chat-fast.targets[0].deployment: unknown deployment "local/chat"; that is an alias: name the deployment itself',
    ],
  ],
  [
    "a provider's model by its public name",
    withLine(12, '  embed: { task: chat, targets: [ { deployment: openai/cheap } ] }'),
    [
      '12:49: roles.embed.targets[0].deployment: unknown deployment "openai/cheap"; for a provider\'s model write { provider: openai, model: cheap }',
    ],
  ],
  [
    'the same target twice',
    withLine(
      12,
      '  embed: { task: embeddings, targets: [ { deployment: bge-motoko }, { deployment: bge-motoko } ] }',
    ),
    ['12:69: roles.embed.targets[1]: the same target as targets[0]'],
  ],
  [
    'a wait of the first target',
    withLine(
      11,
      '  chat-fast: { task: chat, targets: [ { deployment: qwen-armitage, when: { whenWaitExceeds: 5 } } ] }',
    ),
    [
      '11:93: roles.chat-fast.targets[0].when.whenWaitExceeds: expected none here: no target stands before the first, to be waited for',
    ],
  ],
  [
    'a condition that there is not',
    withLine(
      11,
      '  chat-fast: { task: chat, targets: [ { deployment: qwen-armitage, when: { maxContexts: 5 } } ] }',
    ),
    [
      '11:76: roles.chat-fast.targets[0].when.maxContexts: unknown key "maxContexts"; did you mean "maxContext"?',
    ],
  ],
  [
    'a capability that there is not',
    withLine(
      6,
      '  qwen-armitage: { host: armitage, task: chat, engine: external, url: http://armitage:8000, servedModel: qwen, capabilities: [tool] }',
    ),
    [
      '6:127: deployments.qwen-armitage.capabilities[0]: expected tools or vision or audio or json_schema (did you mean "tools"?), found "tool"',
    ],
  ],
  [
    'a weight that is none',
    withLine(
      12,
      '  embed: { task: embeddings, targets: [ { deployment: bge-motoko } ], weights: { firstToken: 11 } }',
    ),
    ['12:94: roles.embed.weights.firstToken: expected at most 10, found 11'],
  ],
  [
    'a mixture of tasks',
    withLine(
      12,
      '  embed: { task: embeddings, targets: [ { deployment: bge-motoko }, { deployment: qwen-armitage } ] }',
    ),
    [
      '12:69: roles.embed.targets[1]: expected a target for embeddings, as the role is; "qwen-armitage" is for chat',
      '12:69: roles.embed.targets[1]: expected the model "bge" of "bge-motoko": an embeddings role has one model, and the vectors of "qwen" would not match',
    ],
  ],
  [
    'a total time below the first byte',
    withLine(
      12,
      '  embed: { task: embeddings, targets: [ { deployment: bge-motoko } ], totalTimeoutSeconds: 5 }',
    ),
    ['12:92: roles.embed.totalTimeoutSeconds: expected at least firstByteTimeoutSeconds (120), found 5'],
  ],
  [
    'a misspelt alias target',
    withLine(14, '  local/chat: chat-fats'),
    ['14:15: aliases["local/chat"]: unknown role or deployment "chat-fats"; did you mean "chat-fast"?'],
  ],
  [
    'an alias of an alias',
    withLine(14, '  local/chat: chat-fast\n  local/talk: local/chat'),
    [
      '15:15: aliases["local/talk"]: expected a role or a deployment, found the alias "local/chat"; name what that one stands for',
    ],
  ],
  [
    'aliases in a loop',
    withLine(14, '  local/chat: local/talk\n  local/talk: local/chat'),
    [
      '14:15: aliases["local/chat"]: expected a role or a deployment, found the alias "local/talk"; name what that one stands for',
      '15:15: aliases["local/talk"]: expected a role or a deployment, found the alias "local/chat"; name what that one stands for',
    ],
  ],
  [
    'an alias of itself',
    withLine(14, '  local/chat: local/chat'),
    [
      '14:15: aliases["local/chat"]: expected a role or a deployment, found the alias itself; name what it stands for',
    ],
  ],
  [
    'an alias with a space',
    withLine(14, '  "a b": chat-fast'),
    [
      '14:3: aliases["a b"]: "a b" is no valid name; expected letters, digits, ".", "_", ":", "/" and "-", starting with a letter or digit',
    ],
  ],
  [
    'an alias named as a role',
    withLine(14, '  chat-fast: embed'),
    ['14:3: aliases.chat-fast: the name "chat-fast" is already that of a role'],
  ],
  [
    "an alias named as a provider's model",
    withLine(14, '  openai/cheap: embed'),
    ['14:3: aliases["openai/cheap"]: the name "openai/cheap" is already that of a provider\'s model'],
  ],
  [
    'a listed deployment named as a role',
    withLine(12, '  bge-motoko: { task: embeddings, targets: [ { deployment: bge-motoko } ] }'),
    ['7:3: deployments.bge-motoko: the name "bge-motoko" is already that of a role'],
  ],
  [
    'any origin',
    withLine(15, "gateway: { allowedOrigins: ['*'] }"),
    [
      '15:29: gateway.allowedOrigins[0]: expected one origin by name, such as app://obsidian.md: a scheme and a host, no path; "*" would let any web page spend your tokens, found "*"',
    ],
  ],
  [
    'a schedule that is no cron pattern',
    withLine(15, 'checks: { doctor: { cron: tomorrow } }'),
    [
      '15:27: checks.doctor.cron: expected a cron pattern such as "0 7 * * *": minute, hour, day of the month, month, day of the week, found "tomorrow"',
    ],
  ],
  [
    'a webhook with a key in its address',
    withLine(15, 'checks: { webhook: { url: "https://hooks.example.net/?key=s3cret" } }'),
    [
      '15:27: checks.webhook.url: expected an address without "?" or "#", such as https://hooks.example.net/fabric',
    ],
  ],
  [
    'dimensions of a chat role',
    withLine(11, '  chat-fast: { task: chat, dimensions: 768, targets: [ { deployment: qwen-armitage } ] }'),
    [
      '11:40: roles.chat-fast.dimensions: expected no dimensions: the role is for chat, and only embeddings are vectors',
    ],
  ],
  [
    'an extra host with a port',
    withLine(15, "gateway: { extraHosts: ['ai.example.net:8000'] }"),
    [
      '15:25: gateway.extraHosts[0]: expected a host name or an address without scheme, port or path, such as ai.example.net, found "ai.example.net:8000"',
    ],
  ],
];
