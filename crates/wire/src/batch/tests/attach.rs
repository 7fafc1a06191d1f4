use kernel::id::MachineId;
use kernel::machine::ATTACHED_KIND;
use kernel::node::{Node, NodeStage};
use serde_json::{Value, json};

use super::{ENV, told};
use crate::batch::reply::describe_compute_env;
use crate::batch::{attach_instances, detach_instances};
use crate::fixtures;

fn id(number: u64) -> String {
    MachineId::from_number(number).expect("a number of eight digits").to_string()
}

fn instances(ids: &[String]) -> Value {
    json!({"EnvId": ENV, "Instances": ids.iter().map(|id| json!({"InstanceId": id})).collect::<Vec<_>>()})
}

#[test]
fn machines_to_attach_are_named_each_once() {
    let read = attach_instances(&instances(&[id(1), id(2)])).expect("a right request");
    assert_eq!(read.env.to_string(), ENV);
    assert_eq!(read.machines.iter().map(MachineId::to_string).collect::<Vec<_>>(), [id(1), id(2)]);
    let many: Vec<String> = (0..101).map(id).collect();
    assert_eq!(attach_instances(&instances(&many[..100])).map(|read| read.machines.len()), Ok(100));
    let one = |more: Value| json!({"EnvId": ENV, "Instances": [more]});
    let table: [(Value, &str); 11] = [
        (json!({"Instances": [{"InstanceId": id(1)}]}), "MissingParameter EnvId"),
        (json!({"EnvId": "env-1", "Instances": []}), "InvalidParameter.EnvIdMalformed EnvId"),
        (json!({"EnvId": ENV}), "MissingParameter Instances"),
        (instances(&[]), "MissingParameter Instances"),
        (instances(&many), "InvalidParameterValue.LimitExceeded Instances"),
        (instances(&[id(1), id(2), id(1)]), "InvalidParameterValue.InstanceIdDuplicated Instances.2.InstanceId"),
        (one(json!({"InstanceId": "i-1"})), "InvalidParameterValue Instances.0.InstanceId"),
        (one(json!({"InstanceId": id(1), "ImageId": 7})), "InvalidParameter Instances.0.ImageId"),
        (
            one(json!({"InstanceId": id(1), "LoginSettings": {"KeyIds": "k"}})),
            "InvalidParameter Instances.0.LoginSettings.KeyIds",
        ),
        (one(json!({"InstanceId": id(1), "ImageId": "img-1"})), "UnsupportedOperation Instances.0.ImageId"),
        (
            one(json!({"InstanceId": id(1), "LoginSettings": {"Password": "p"}})),
            "UnsupportedOperation Instances.0.LoginSettings",
        ),
    ];
    for (params, wanted) in table {
        assert_eq!(told(attach_instances(&params)), wanted, "{params}");
    }
    assert_eq!(told(attach_instances(&one(json!({"Size": 1})))).split(' ').next(), Some("MissingParameter"));
}

#[test]
fn machines_to_detach_are_named_each_once() {
    let read = detach_instances(&json!({"EnvId": ENV, "InstanceIds": [id(1), id(2)]})).expect("a right request");
    assert_eq!(read.machines.iter().map(MachineId::to_string).collect::<Vec<_>>(), [id(1), id(2)]);
    let many: Vec<String> = (0..101).map(id).collect();
    let table: [(Value, &str); 5] = [
        (json!({"EnvId": ENV}), "MissingParameter InstanceIds"),
        (json!({"EnvId": ENV, "InstanceIds": many}), "InvalidParameterValue.LimitExceeded InstanceIds"),
        (
            json!({"EnvId": ENV, "InstanceIds": [id(1), id(1)]}),
            "InvalidParameterValue.InstanceIdDuplicated InstanceIds.1",
        ),
        (json!({"EnvId": ENV, "InstanceIds": ["node-00000001"]}), "InvalidParameterValue InstanceIds.0"),
        (json!({"EnvId": ENV, "InstanceIds": [id(1)], "Instances": []}), "UnknownParameter Instances"),
    ];
    for (params, wanted) in table {
        assert_eq!(told(detach_instances(&params)), wanted, "{params}");
    }
}

#[test]
fn attached_nodes_are_counted_and_told_apart() {
    let made = fixtures::node(NodeStage::Running, "");
    let attached = std::sync::Arc::new(Node { attached: true, kind: ATTACHED_KIND.into(), ..(*made).clone() });
    let reply = describe_compute_env(&fixtures::env(1), &[made, attached]);
    assert_eq!((&reply["DesiredComputeNodeCount"], &reply["AttachedComputeNodeCount"]), (&json!(1), &json!(1)));
    let origins: Vec<&Value> = [0, 1].iter().map(|at| &reply["ComputeNodeSet"][*at]["ResourceOrigin"]).collect();
    assert_eq!(origins, ["BATCH_CREATED", "USER_ATTACHED"]);
}
