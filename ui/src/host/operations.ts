// Every operation of the admin API: its name, and the REST call it stands for. The desktop calls it by name alone.
export { operations, type OperationName } from '../generated/operations';
