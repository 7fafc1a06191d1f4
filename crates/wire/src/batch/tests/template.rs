use kernel::template::TemplateSpec;
use serde_json::{Value, json};

use super::{at_site, told};
use crate::batch::reply::{describe_compute_env_create_info, describe_task_templates};
use crate::batch::{create_compute_env, create_task_template, submit_task_template};

fn template(info: Value) -> TemplateSpec {
    let request = json!({"TaskTemplateName": "t", "TaskTemplateInfo": info});
    at_site(|site| create_task_template(&request, site)).expect("a right request")
}

fn shown(spec: TemplateSpec) -> Value {
    let id = "task-tmpl-0000000z".parse().unwrap();
    let template =
        kernel::template::Template { id, spec: spec.into(), created: kernel::time::Timestamp(1_529_073_797_000) };
    describe_task_templates(1, &[template.into()])
}

#[test]
fn a_template_shows_its_task_as_it_was_sent_in_the_declared_types() {
    let info = json!({"Application": {"Command": "true"}, "EnvId": "env-00000000", "TaskInstanceNum": "3",
        "RestartComputeNode": "FALSE", "EnvVars": [{"Name": "A", "Value": "1"}]});
    let reply = shown(template(info));
    let view = &reply["TaskTemplateSet"][0];
    assert_eq!(view["TaskTemplateInfo"]["TaskInstanceNum"], 3);
    assert_eq!(view["TaskTemplateInfo"]["RestartComputeNode"], false);
    assert_eq!(view["TaskTemplateInfo"]["EnvVars"], json!([{"Name": "A", "Value": "1"}]));
    assert_eq!(view["CreateTime"], "2018-06-15T14:43:17Z");
    assert_eq!((&view["Tags"], &view["TaskTemplateDescription"]), (&json!([]), &json!("")));
    assert!(view["TaskTemplateInfo"].get("Timeout").is_none(), "what was not sent is not shown: {view}");
}

#[test]
fn a_template_keeps_its_secrets_and_shows_none() {
    let task = json!({"EnvId": "env-00000000",
        "Application": {"Command": "true", "Docker": {"Image": "i", "Password": "hush-1"}},
        "Authentications": [{"Scene": "COS", "SecretId": "id", "SecretKey": "hush-2"}],
        "ComputeEnv": {"EnvData": {"LoginSettings": {"Password": "hush-3"}}}});
    let spec = TemplateSpec { name: "t".into(), description: String::new(), task: task.to_string(), tags: Vec::new() };
    let reply = shown(spec).to_string();
    assert!(!reply.contains("hush"), "{reply}");
    assert_eq!(reply.matches("\"******\"").count(), 3, "{reply}");
}

#[test]
fn a_template_is_submitted_with_all_that_a_job_may_hold_but_tasks() {
    let task = json!({"Application": {"Command": "true"}, "EnvId": "env-00000000", "TaskName": "say"}).to_string();
    let (id, place) = ("task-tmpl-0000000z", json!({"Zone": "ap-guangzhou-2"}));
    let submitted = |request: Value| at_site(|site| submit_task_template(&request)?.with_task(&task, site));
    let plain = submitted(json!({"TaskTemplateId": id, "Placement": place})).expect("a right request");
    assert_eq!((plain.spec.tasks.len(), plain.spec.tasks[0].name.as_str()), (1, "say"));
    let job = json!({"JobName": "j", "Priority": 2});
    let named = submitted(json!({"TaskTemplateId": id, "Placement": place, "Job": job})).expect("a right request");
    assert_eq!((named.spec.name.as_str(), named.spec.priority), ("j", 2));
    for (request, wanted) in [
        (json!({"Placement": place}), "MissingParameter TaskTemplateId"),
        (json!({"TaskTemplateId": "t", "Placement": place}), "InvalidParameter.TaskTemplateIdMalformed TaskTemplateId"),
        (json!({"TaskTemplateId": id}), "MissingParameter Placement"),
        (json!({"TaskTemplateId": id, "Placement": place, "Job": {"Tasks": []}}), "UnknownParameter Job.Tasks"),
        (json!({"TaskTemplateId": id, "Placement": place, "Job": {"Colour": 1}}), "UnknownParameter Job.Colour"),
        (json!({"TaskTemplateId": id, "Placement": place, "Job": 1}), "InvalidParameter Job"),
        (json!({"TaskTemplateId": id, "Placement": place, "Colour": 1}), "UnknownParameter Colour"),
        (json!(7), "MissingParameter TaskTemplateId"),
    ] {
        assert_eq!(told(submitted(request.clone())), wanted, "{request}");
    }
}

#[test]
fn what_an_environment_was_asked_to_be_is_echoed_whole_and_without_secrets() {
    let request = json!({"Placement": {"Zone": "ap-guangzhou-2"}, "ComputeEnv": {"EnvName": "e",
        "DesiredComputeNodeCount": "2",
        "EnvData": {"InstanceTypes": ["S5.LARGE8"], "LoginSettings": {"Password": "hush"},
            "SystemDisk": {"DiskSize": "50"}, "InternetAccessible": {"PublicIpAssigned": "TRUE"}},
        "notifications": [{"topic_name": "t", "event_configs": [{"event_name": "COMPUTE_ENV_CREATED"}]}]}});
    let made = at_site(|site| create_compute_env(&request, site)).expect("a right request");
    let mut env = (*crate::fixtures::env(2)).clone();
    env.spec = made.spec.into();
    let info = describe_compute_env_create_info(&env);
    let keys: Vec<&str> = info.as_object().expect("an object").keys().map(String::as_str).collect();
    let declared = [
        "EnvId",
        "EnvName",
        "EnvDescription",
        "EnvType",
        "EnvData",
        "MountDataDisks",
        "InputMappings",
        "Authentications",
        "DesiredComputeNodeCount",
        "Notifications",
        "Tags",
    ];
    assert_eq!(keys, declared);
    assert_eq!((&info["DesiredComputeNodeCount"], &info["EnvType"]), (&json!(2), &json!("MANAGED")));
    let data = &info["EnvData"];
    assert_eq!(data.as_object().expect("an object").len(), 16);
    assert_eq!(
        (&data["SystemDisk"]["DiskSize"], &data["InternetAccessible"]["PublicIpAssigned"]),
        (&json!(50), &json!(true))
    );
    assert_eq!((&data["DataDisks"], &data["InstanceType"]), (&json!([]), &Value::Null));
    assert_eq!(data["LoginSettings"]["Password"], "******");
    let events = json!([{"EventName": "COMPUTE_ENV_CREATED", "EventVars": []}]);
    assert_eq!(info["Notifications"], json!([{"TopicName": "t", "EventConfigs": events}]));
    assert!(!info.to_string().contains("hush"));
}
