// @ts-check
/** Elements from data. Text goes in as text, never as markup: it comes from customers. */

/** @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string | null)} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Changes only what is another text: screen readers and selections are left alone. @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a sentence where there is nothing else to show. @param {Element} element @param {string | null} text */
export function sayInstead(element, text) {
  element.toggleAttribute('hidden', text === null);
  say(element, text ?? '');
}

/**
 * Makes a list's children those of the items, in their order. An item's element stays the same, so that focus stays.
 *
 * @template {{ id: string }} T
 * @param {Element} list @param {readonly T[]} items @param {() => Element} create @param {(element: Element, item: T) => void} fill
 */
export function arrange(list, items, create, fill) {
  const focused = document.activeElement;
  const known = new Map([...list.children].map((child) => [child.getAttribute('data-id'), child]));
  items.forEach((item, index) => {
    const element = known.get(item.id) ?? create();
    known.delete(item.id);
    element.setAttribute('data-id', item.id);
    fill(element, item);
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
  for (const left of known.values()) left.remove();
  if (focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

/** Runs at most once a frame. @param {() => void} draw */
export function eachFrame(draw) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      draw();
    });
  };
}
