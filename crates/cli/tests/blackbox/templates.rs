//! Task templates, through the official clients and the command line.

use serde_json::{Value, json};

use crate::support::official::Official;
use crate::support::requests::{running_environment, task, wait_for_job};
use crate::support::server::Server;
use crate::support::wait;

fn create(official: &mut Official, name: &str, info: &Value, tags: Value) -> String {
    let request = json!({"TaskTemplateName": name, "TaskTemplateInfo": info, "Tags": tags,
        "TaskTemplateDescription": format!("what {name} does")});
    let reply = official.batch("CreateTaskTemplate", request).expect("a right request");
    let id = reply["TaskTemplateId"].as_str().expect("an id").to_owned();
    assert!(id.len() == "task-tmpl-".len() + 8 && id.starts_with("task-tmpl-"), "{id}");
    id
}

fn listed(official: &mut Official, request: Value) -> (Value, Vec<String>) {
    let reply = official.batch("DescribeTaskTemplates", request).expect("a right request");
    let set = reply["TaskTemplateSet"].as_array().expect("a list");
    let ids = set.iter().map(|view| view["TaskTemplateId"].as_str().expect("an id").to_owned());
    (reply["TotalCount"].clone(), ids.collect())
}

#[test]
fn templates_are_kept_listed_changed_and_erased() {
    let server = Server::start();
    let mut official = server.official();
    let mut info = task("say", "env-00000000", "echo hi", 2);
    info["EnvVars"] = json!([{"Name": "A", "Value": "1"}]);
    let first = create(&mut official, "first", &info, json!([{"Key": "team", "Value": "a"}]));
    let second = create(&mut official, "second", &info, json!([{"Key": "team", "Value": "b"}]));
    let third = create(&mut official, "second", &info, json!([]));

    assert_eq!(listed(&mut official, json!({})), (json!(3), vec![third.clone(), second.clone(), first.clone()]));
    assert_eq!(listed(&mut official, json!({"Offset": 1, "Limit": 1})), (json!(3), vec![second.clone()]));
    assert_eq!(listed(&mut official, json!({"TaskTemplateIds": [first]})), (json!(1), vec![first.clone()]));
    for (name, values, found) in [
        ("task-template-name", json!(["second"]), vec![&third, &second]),
        ("tag-key", json!(["team"]), vec![&second, &first]),
        ("tag-value", json!(["a", "c"]), vec![&first]),
        ("tag:team", json!(["b"]), vec![&second]),
    ] {
        let (total, ids) = listed(&mut official, json!({"Filters": [{"Name": name, "Values": values}]}));
        assert_eq!((total, ids.iter().collect::<Vec<_>>()), (json!(found.len()), found), "{name}");
    }
    let view = server.tccli(&["batch", "DescribeTaskTemplates", "--TaskTemplateIds", &json!([first]).to_string()]);
    let view = &view["TaskTemplateSet"][0];
    assert_eq!(view["TaskTemplateDescription"], "what first does", "{view}");
    assert_eq!(view["Tags"], json!([{"Key": "team", "Value": "a"}]), "{view}");
    assert_eq!(view["TaskTemplateInfo"]["TaskInstanceNum"], 2, "{view}");
    assert_eq!(view["TaskTemplateInfo"]["EnvVars"], info["EnvVars"], "{view}");
    assert!(view["CreateTime"].as_str().is_some_and(|time| time.ends_with('Z')), "{view}");

    info["TaskInstanceNum"] = json!(5);
    let edit = json!({"TaskTemplateId": second, "TaskTemplateName": "renamed", "TaskTemplateInfo": info});
    official.batch("ModifyTaskTemplate", edit).expect("the template exists");
    let reply = official.batch("DescribeTaskTemplates", json!({"TaskTemplateIds": [second]})).expect("it exists");
    let view = &reply["TaskTemplateSet"][0];
    assert_eq!(
        (&view["TaskTemplateName"], &view["TaskTemplateDescription"]),
        (&json!("renamed"), &json!("what second does"))
    );
    assert_eq!(view["TaskTemplateInfo"]["TaskInstanceNum"], 5, "{view}");

    server.tccli(&["batch", "DeleteTaskTemplates", "--TaskTemplateIds", &json!([second, third]).to_string()]);
    assert_eq!(listed(&mut official, json!({})), (json!(1), vec![first]));
}

#[test]
fn wrong_templates_are_refused_with_the_documented_codes() {
    let server = Server::start_with("[jobs]\ntemplate_quota = 1");
    let mut official = server.official();
    let info = task("say", "env-00000000", "true", 1);
    let with = |changes: Value| {
        let mut info = info.clone();
        for (key, value) in changes.as_object().expect("an object") {
            info[key] = value.clone();
        }
        json!({"TaskTemplateName": "t", "TaskTemplateInfo": info})
    };
    let long = "x".repeat(61);
    let create = "CreateTaskTemplate";
    for (action, request, code, path) in [
        (create, json!({"TaskTemplateInfo": info}), "MissingParameter", "TaskTemplateName"),
        (create, json!({"TaskTemplateName": "t"}), "MissingParameter", "TaskTemplateInfo"),
        (
            create,
            json!({"TaskTemplateName": long, "TaskTemplateInfo": info}),
            "InvalidParameter.TaskTemplateNameTooLong",
            "TaskTemplateName",
        ),
        (
            create,
            json!({"TaskTemplateName": " ", "TaskTemplateInfo": info}),
            "InvalidParameter.TaskTemplateName",
            "TaskTemplateName",
        ),
        (
            create,
            json!({"TaskTemplateName": "t", "TaskTemplateInfo": info, "TaskTemplateDescription": "x".repeat(201)}),
            "InvalidParameter.TaskTemplateDescriptionTooLong",
            "TaskTemplateDescription",
        ),
        (create, with(json!({"EnvId": "env-1"})), "InvalidParameter.EnvIdMalformed", "TaskTemplateInfo.EnvId"),
        (create, with(json!({"EnvId": null})), "AllowedOneAttributeInEnvIdAndComputeEnv", "TaskTemplateInfo.EnvId"),
        (
            create,
            with(json!({"MaxRetryCount": 101})),
            "InvalidParameterValue.MaxRetryCount",
            "TaskTemplateInfo.MaxRetryCount",
        ),
        (create, with(json!({"TaskName": "a/b"})), "InvalidParameter.TaskName", "TaskTemplateInfo.TaskName"),
        (create, with(json!({"Colour": 1})), "UnknownParameter", "TaskTemplateInfo.Colour"),
        (
            "DescribeTaskTemplates",
            json!({"TaskTemplateIds": ["task-tmpl-1"]}),
            "InvalidParameter.TaskTemplateIdMalformed",
            "TaskTemplateIds.0",
        ),
        (
            "DescribeTaskTemplates",
            json!({"TaskTemplateIds": ["task-tmpl-00000000"], "Filters": [{"Name": "tag-key", "Values": ["a"]}]}),
            "InvalidParameter.InvalidParameterCombination",
            "Filters",
        ),
        (
            "DescribeTaskTemplates",
            json!({"Filters": [{"Name": "zone", "Values": ["a"]}]}),
            "InvalidFilter",
            "Filters.0.Name",
        ),
        ("DescribeTaskTemplates", json!({"Limit": 101}), "InvalidParameterValue", "Limit"),
        (
            "ModifyTaskTemplate",
            json!({"TaskTemplateId": "task-tmpl-00000000"}),
            "InvalidParameterAtLeastOneAttribute",
            "TaskTemplateName",
        ),
        (
            "ModifyTaskTemplate",
            json!({"TaskTemplateId": "task-tmpl-00000000", "TaskTemplateName": "x"}),
            "ResourceNotFound.TaskTemplate",
            "TaskTemplateId",
        ),
        ("DeleteTaskTemplates", json!({"TaskTemplateIds": []}), "MissingParameter", "TaskTemplateIds"),
        (
            "DeleteTaskTemplates",
            json!({"TaskTemplateIds": ["task-tmpl-00000000"]}),
            "ResourceNotFound.TaskTemplate",
            "TaskTemplateIds.0",
        ),
    ] {
        let refusal = official.batch_as_is(action, request).expect_err(path);
        assert_eq!(refusal.code, code, "{action}: {refusal}");
        assert!(refusal.message.contains(path), "{action}: {refusal}");
    }
    official.batch(create, with(json!({}))).expect("the first");
    let refusal = official.batch(create, with(json!({}))).expect_err("one is the quota");
    assert_eq!(refusal.code, "LimitExceeded.TaskTemplateQuota", "{refusal}");
}

#[test]
fn a_job_is_made_from_a_template_by_hand() {
    let server = Server::start();
    let mut official = server.official();
    let env = running_environment(&mut official, 1);
    let file = server.folder().join("task.json");
    std::fs::write(&file, task("greet", &env, "echo from a template", 1).to_string()).expect("the file is written");
    let herald = |args: &[&str]| {
        let output = server.herald(args);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{args:?}: {err}");
        out.trim_end().to_owned()
    };
    let id = herald(&["template", "create", "task.json"]);
    assert!(herald(&["template", "list"]).contains("greet"));
    assert!(herald(&["template", "show", "greet"]).contains("echo from a template"));
    assert!(herald(&["template", "show", &id, "--json"]).contains(&id));

    herald(&["job", "submit", "--template", "greet", "--wait"]);
    std::fs::write(server.folder().join("job.json"), json!({"JobName": "named", "Priority": 3}).to_string())
        .expect("written");
    let job = herald(&["job", "submit", "job.json", "--template", &id]);
    let view = wait_for_job(&mut official, &job, &["SUCCEED"]);
    assert_eq!((&view["JobName"], &view["Priority"]), (&json!("named"), &json!(3)), "{view}");

    std::fs::write(server.folder().join("job.json"), json!({"Tasks": []}).to_string()).expect("written");
    let output = server.herald(&["job", "submit", "job.json", "--template", &id]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Job.Tasks"), "{output:?}");
    herald(&["template", "create", "task.json"]);
    let output = server.herald(&["template", "delete", "greet"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("more than one template"), "{output:?}");
    herald(&["template", "delete", &id]);
    herald(&["template", "delete", "greet"]);
    let output = server.herald(&["job", "submit", "--template", "greet"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("herald template list"), "{output:?}");
}

#[test]
fn templates_outlive_the_server() {
    let mut server = Server::start();
    let mut official = server.official();
    let id = create(&mut official, "kept", &task("say", "env-00000000", "true", 1), json!([]));
    server.kill9();
    server.restart();
    official.turn_to(server.address());
    let found = wait::until("the server's answer", || Some(listed(&mut official, json!({}))));
    assert_eq!(found, (json!(1), vec![id]));
}
