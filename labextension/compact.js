/** Leave out of a file what only people read. */
module.exports = function compact(text) {
  if (this.resourcePath.endsWith('.ipynb')) {
    return JSON.stringify(JSON.parse(text));
  }
  return text
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,]) ?/g, '$1')
    .replace(/: /g, ':');
};
