
// ==== Files that are dropped on a page are loaded ====

const isOfFiles = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => {
  // Without this a browser shows a dropped file instead of passing it to the page.
  if (isOfFiles(event)) event.preventDefault();
});

document.addEventListener("drop", (event) => {
  if (!isOfFiles(event)) return;
  event.preventDefault();
  // A form, so that the browser shows the response, as it does without a script.
  const form = document.createElement("form");
  const field = document.createElement("input");
  Object.assign(form, { method: "post", action: "/load", enctype: "multipart/form-data", hidden: true });
  Object.assign(field, { type: "file", name: "file", multiple: true });
  field.files = event.dataTransfer.files;
  form.append(field);
  document.body.append(form);
  form.submit();
});
