"""What we rely on in Label Studio, asked of a real one and of our fake: backends."""

from http import HTTPStatus

from tests.contract import project_with, publish
from tests.label_studio import LabelStudio, choices_config
from tests.sink import VERSION, Sink

SETUP_KEYS = ("project", "schema", "hostname", "access_token", "extra_params")


class TestConnecting:
    def test_connecting_takes_the_title_as_version_and_makes_a_webhook(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, _tasks = project_with(label_studio, 1)

        backend = label_studio.connect_backend(project, sink.url, "My model")

        assert sink.paths == ["/health", "/setup"] * 2
        assert backend["state"] == "CO"
        assert backend["model_version"] == VERSION
        assert label_studio.project(project)["model_version"] == "My model"
        (hook,) = label_studio.webhooks(project)
        assert hook["url"] == f"{sink.url}/webhook"
        assert hook["send_for_all_actions"]
        assert hook["send_payload"]

    def test_setup_names_the_project_by_id_and_creation(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, _tasks = project_with(label_studio, 1)

        label_studio.connect_backend(project, sink.url, extra_params={"window": 5})

        setup = next(body for path, body in sink.calls if path == "/setup")
        assert setup["project"].startswith(f"{project}.")
        assert setup["schema"] == choices_config("a", "b")
        assert setup["extra_params"] == {"window": 5}
        assert setup["hostname"] == label_studio.url
        assert set(setup) == set(SETUP_KEYS)

    def test_looking_at_a_backend_calls_it(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, _tasks = project_with(label_studio, 1)
        backend = label_studio.connect_backend(project, sink.url)
        sink.calls.clear()

        (listed,) = label_studio.ml_backends(project)

        assert sink.paths == ["/health", "/setup"]
        assert listed.keys() == backend.keys()

    def test_a_dead_backend_is_not_stored(self, label_studio: LabelStudio) -> None:
        project, _tasks = project_with(label_studio, 1)
        body = {"project": project, "url": "http://127.0.0.1:9", "title": "Dead"}

        answer = label_studio.request("POST", "/api/ml", json=body)

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert label_studio.ml_backends(project) == []

    def test_deleting_a_backend_calls_it_and_leaves_its_webhook(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, _tasks = project_with(label_studio, 1)
        backend = label_studio.connect_backend(project, sink.url)
        sink.calls.clear()

        label_studio.delete_backend(backend["id"])

        assert sink.paths == ["/health", "/setup"]
        assert label_studio.ml_backends(project) == []
        assert len(label_studio.webhooks(project)) == 1
        # Mostly cleared; another save of the project may bring it back.
        assert label_studio.project(project)["model_version"] in {"", backend["title"]}

    def test_changing_a_backend_needs_its_url_and_moves_the_version_along(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, _tasks = project_with(label_studio, 1)
        backend = label_studio.connect_backend(project, sink.url, "Old")
        path = f"/api/ml/{backend['id']}"
        whole = {"title": "New", "url": sink.url, "project": project}

        refused = label_studio.request("PATCH", path, json={"title": "New"})
        label_studio.call("PATCH", path, json=whole)

        assert refused.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
        assert label_studio.project(project)["model_version"] == "New"

    def test_changing_a_webhook_wipes_its_actions(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, _tasks = project_with(label_studio, 1)
        hook = label_studio.add_webhook(
            project,
            f"{sink.url}/webhook",
            actions=["ANNOTATION_CREATED"],
            send_for_all_actions=False,
        )
        path = f"/api/webhooks/{hook['id']}/"

        changed = label_studio.call("PATCH", path, json={"headers": {"X-Key": "1"}})

        assert hook["actions"] == ["ANNOTATION_CREATED"]
        assert changed["actions"] == []
        assert changed["headers"] == {"X-Key": "1"}

    def test_another_address_of_a_backend_moves_no_webhook(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, _tasks = project_with(label_studio, 1)
        backend = label_studio.connect_backend(project, sink.url)
        moved = f"{sink.url}/"
        path, body = f"/api/ml/{backend['id']}", {"url": moved, "project": project}
        sink.calls.clear()

        changed = label_studio.call("PATCH", path, json=body)
        (hook,) = label_studio.webhooks(project)
        body = {"url": f"{sink.url}/elsewhere", "headers": {"X-Key": "1"}}
        label_studio.call("PATCH", f"/api/webhooks/{hook['id']}/", json=body)

        assert "/health" in sink.paths
        assert (changed["id"], changed["url"]) == (backend["id"], moved)
        assert changed["title"] == backend["title"]
        assert hook["url"] == f"{sink.url}/webhook"
        (after,) = label_studio.webhooks(project)
        assert (after["id"], after["url"]) == (hook["id"], f"{sink.url}/elsewhere")

    def test_a_dead_address_of_a_backend_is_refused_and_the_old_one_kept(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, _tasks = project_with(label_studio, 1)
        backend = label_studio.connect_backend(project, sink.url)
        body = {"url": "http://127.0.0.1:9", "project": project}

        answer = label_studio.request("PATCH", f"/api/ml/{backend['id']}", json=body)

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert [row["url"] for row in label_studio.ml_backends(project)] == [sink.url]

    def test_a_tab_keeps_what_its_maker_adds(self, label_studio: LabelStudio) -> None:
        """By it one Dubito knows the tab of another one."""
        project, _tasks = project_with(label_studio, 1)
        shown: dict[str, object] = {
            "title": "T",
            "ordering": ["tasks:predictions_score"],
        }
        shown["filters"] = {"conjunction": "and", "items": []}
        body = {"project": project, "data": {**shown, "dubito": {"mark": "a"}}}

        view = label_studio.call("POST", "/api/dm/views/", json=body)
        made = [tab["data"]["dubito"] for tab in label_studio.views(project)]
        changed = {"data": {**shown, "dubito": {"mark": "b"}}}
        label_studio.call("PATCH", f"/api/dm/views/{view['id']}/", json=changed)

        assert made == [{"mark": "a"}]
        assert [tab["data"] for tab in label_studio.views(project)] == [changed["data"]]

    def test_a_task_without_prediction_is_predicted_when_opened(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, (first, _second) = project_with(label_studio, 2)
        label_studio.connect_backend(project, sink.url)
        sink.calls.clear()

        opened = label_studio.task(first)
        label_studio.task(first)

        assert sink.paths == ["/health", "/setup", "/predict"]
        assert [row["score"] for row in opened["predictions"]] == [0.5]

    def test_serving_calls_nobody_once_our_version_is_set(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, (first, second) = project_with(label_studio, 2)
        label_studio.connect_backend(project, sink.url, "Title")
        sink.calls.clear()
        served = label_studio.next_task(project)
        assert "/setup" in sink.paths
        label_studio.annotate(served or 0, "a")
        publish(label_studio, project, {first: 0.2, second: 0.1})
        sink.calls.clear()

        assert label_studio.next_task(project) in {first, second} - {served}
        assert sink.paths == []

    def test_a_tab_can_be_made_and_removed(self, label_studio: LabelStudio) -> None:
        project, _tasks = project_with(label_studio, 1)
        empty = {"conjunction": "and", "items": []}
        order = ["tasks:predictions_score"]
        data = {"title": "Least certain first", "ordering": order, "filters": empty}
        body = {"project": project, "data": data}

        view = label_studio.call("POST", "/api/dm/views/", json=body)
        assert [tab["data"] for tab in label_studio.views(project)] == [data]
        label_studio.call("DELETE", f"/api/dm/views/{view['id']}/")

        assert label_studio.views(project) == []
