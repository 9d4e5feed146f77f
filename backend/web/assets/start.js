"use strict";
/* Opens the project that the address names, and fills the page. */
(() => {
  const { panels, Project, away } = Dubito;
  const project = new Project(decodeURIComponent(location.pathname.split("/")[2] || ""));
  const open = document.getElementById("open");

  project.onStatus((status) => {
    const title = status.title || `Project ${status.id}`;
    document.title = `${title} · Dubito`;
    document.getElementById("title").textContent = title;
    if (status.links) open.href = status.links.tasks;
  });
  for (const [name, fill] of Object.entries(panels)) {
    const section = document.getElementById(name);
    if (section) fill(section, project);
  }
  if (!project.isReport) project.follow(away);
})();
