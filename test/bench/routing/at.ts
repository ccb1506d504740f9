/** The element at `index`. @throws RangeError where there is none: whoever asks counted wrong */
export function at<Item>(
  list: { readonly length: number; readonly [index: number]: Item },
  index: number,
): Item {
  const item = list[index];
  if (item === undefined) throw new RangeError(`there is no ${index} among ${list.length}`);
  return item;
}
