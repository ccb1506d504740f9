import { describeText } from '../../declared/decide/describe-value.js';

const OPTION = /^error: option '(.+?)' (?:value|argument) '(.*)'(?: from env '.*')? is invalid\. (.*)$/s;
const ARGUMENT = /^error: command-argument value '(.*)' is invalid for argument '(.+)'\. (.*)$/s;
const CHOICES = /^Allowed choices are (.*)$/s;

/** Commander's complaint of a value as fabric.yaml's errors are put: where, what was expected, what came. */
export function nameBadArgument(text: string): string {
  const line = text.trimEnd();
  const option = OPTION.exec(line);
  if (option) return complain(option[1], option[3], option[2]);
  const argument = ARGUMENT.exec(line);
  return argument ? complain(`<${argument[2]}>`, argument[3], argument[1]) : text;
}

function complain(where = '', words = '', found = ''): string {
  const choices = CHOICES.exec(words)?.[1];
  const expected = (choices?.replaceAll(', ', ' or ') ?? words).replace(/^expected /, '').replace(/\.$/, '');
  return `error: ${where}: expected ${expected}, found ${describeText(found)}\n`;
}
