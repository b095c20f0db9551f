declare module '*.py' {
  const text: string;
  export default text;
}

declare module '*.ipynb' {
  const text: string;
  export default text;
}
